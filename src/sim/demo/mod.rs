//! The demo: a repository and clusters that tell a story.
