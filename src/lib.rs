//! A deterministic discrete-event simulator of a highly available Kubernetes control plane.

pub mod analytic;
pub mod cli;
pub mod component;
pub mod components;
pub mod experiment;
pub mod fault;
pub mod kernel;
pub mod measure;
pub mod plan;
pub mod reliability;
pub mod report;
pub mod scenario;
pub mod transport;
pub mod world;
