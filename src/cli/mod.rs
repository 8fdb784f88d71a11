//! The command line: the same requests as the screen, without one.
