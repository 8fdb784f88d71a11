//! YAML as Kubernetes and Helm read it: YAML 1.1 resolution, Go-compatible emitters, errors with line numbers.
