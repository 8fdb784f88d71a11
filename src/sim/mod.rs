//! Simulated Kubernetes clusters and the demo repository.
