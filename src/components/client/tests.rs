//! Laws of clients.
