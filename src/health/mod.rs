//! Health of live objects and of applications, by Argo CD's rules.
