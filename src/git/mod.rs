//! Git: object store, revisions, trees at a commit, merges, tags, fetch and atomic push.
