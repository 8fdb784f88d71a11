//! Standard output that may be closed by whoever reads it.

use std::io::{self, BufWriter, ErrorKind, Write};

/// A buffered stream that swallows everything once nobody reads it any more, as after `| head`.
pub(super) struct Pipe<W: Write> {
    inner: BufWriter<W>,
    is_broken: bool,
}

impl<W: Write> Pipe<W> {
    pub fn new(inner: W) -> Self {
        Self { inner: BufWriter::new(inner), is_broken: false }
    }

    fn unless_broken<T>(
        &mut self,
        default: T,
        write: impl FnOnce(&mut BufWriter<W>) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.is_broken {
            return Ok(default);
        }
        match write(&mut self.inner) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_broken = true;
                Ok(default)
            }
            result => result,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.unless_broken(bytes.len(), |inner| inner.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unless_broken((), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let mut out = Pipe::new(Closed);
        assert!(out.write_all(&[b'x'; 100_000]).is_ok());
        assert!(out.flush().is_ok());
        assert!(out.write_all(b"more").is_ok());
    }
}
