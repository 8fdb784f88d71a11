//! Tags and `%TAG` directives: handles, prefixes and percent escapes.

use super::Error;
use super::scanner::{Scanner, is_word};

impl Scanner<'_> {
    /// Reads a tag as handle and suffix; the lone `!` comes as suffix of the empty handle.
    pub(super) fn scan_tag(&mut self) -> Result<(String, String), Error> {
        let tag = if self.at(1) == b'<' {
            self.pos += 2;
            let suffix = self.scan_tag_uri("")?;
            if self.at(0) != b'>' {
                return Err(self.error("did not find the expected '>'"));
            }
            self.pos += 1;
            (String::new(), suffix)
        } else {
            let handle = self.scan_tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.scan_tag_uri("")?;
                (handle, suffix)
            } else {
                let suffix = self.scan_tag_uri(&handle)?;
                if suffix.is_empty() { (suffix, "!".to_owned()) } else { ("!".to_owned(), suffix) }
            }
        };
        if !self.is_blank_or_end(0) {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        Ok(tag)
    }

    /// Reads what follows `%TAG`: a handle and its prefix.
    pub(super) fn scan_tag_directive(&mut self) -> Result<(String, String), Error> {
        self.skip_blanks();
        let handle = self.scan_tag_handle(true)?;
        if !self.is_blank(0) {
            return Err(self.error("did not find expected whitespace"));
        }
        self.skip_blanks();
        let prefix = self.scan_tag_uri("")?;
        if !self.is_blank_or_end(0) {
            return Err(self.error("did not find expected whitespace or line break"));
        }
        Ok((handle, prefix))
    }

    fn scan_tag_handle(&mut self, directive: bool) -> Result<String, Error> {
        if self.at(0) != b'!' {
            return Err(self.error("did not find expected '!'"));
        }
        let start = self.pos;
        self.pos += 1;
        self.take_while(is_word);
        if self.at(0) == b'!' {
            self.pos += 1;
        } else if directive && self.pos != start + 1 {
            return Err(self.error("did not find expected '!'"));
        }
        Ok(self.text[start..self.pos].to_owned())
    }

    /// Reads a tag's address; a head that was read as a handle by mistake belongs to it, without its `!`.
    fn scan_tag_uri(&mut self, head: &str) -> Result<String, Error> {
        let mut uri = head.get(1..).unwrap_or_default().as_bytes().to_vec();
        let mut found = !head.is_empty();
        loop {
            let byte = self.at(0);
            if byte == b'%' {
                self.scan_percent_escape(&mut uri)?;
            } else if is_word(byte) || b";/?:@&=+$,.!~*'()[]".contains(&byte) {
                uri.push(byte);
                self.pos += 1;
            } else {
                break;
            }
            found = true;
        }
        if !found {
            return Err(self.error("did not find expected tag URI"));
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    fn scan_percent_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), Error> {
        let mut left = None;
        while left != Some(0) {
            let digits = (self.at(1) as char).to_digit(16).zip((self.at(2) as char).to_digit(16));
            let (b'%', Some((high, low))) = (self.at(0), digits) else {
                return Err(self.error("did not find URI escaped octet"));
            };
            let octet = (high * 16 + low) as u8;
            left = match left {
                None => match octet {
                    0..=0x7f => Some(0),
                    0xc0..=0xdf => Some(1),
                    0xe0..=0xef => Some(2),
                    0xf0..=0xf7 => Some(3),
                    _ => return Err(self.error("found an incorrect leading UTF-8 octet")),
                },
                Some(_) if octet & 0xc0 != 0x80 => {
                    return Err(self.error("found an incorrect trailing UTF-8 octet"));
                }
                Some(left) => Some(left - 1),
            };
            uri.push(octet);
            self.pos += 3;
        }
        Ok(())
    }
}
