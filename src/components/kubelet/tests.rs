//! Laws of the kubelet.
