//! Clusters: kubeconfig, connections, discovery, watches and writes.
