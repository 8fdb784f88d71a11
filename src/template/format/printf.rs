//! Formats: finding the verbs and their arguments.

use super::verb::{Flags, write_verb};
use super::{type_name, write_value};
use crate::template::value::Value;

/// The widest width and precision that Go takes.
const WIDEST: i64 = 1_000_000;

/// Returns what Go's `fmt.Sprintf` returns. Mistakes are shown in the text.
pub fn printf(format: &[u8], args: &[Value]) -> Vec<u8> {
    let mut run = Run { format, at: 0, args, arg: 0, is_reordered: false, is_good: true, out: Vec::new() };
    while run.at < format.len() {
        let plain = format[run.at..].iter().position(|byte| *byte == b'%').unwrap_or(format.len() - run.at);
        run.out.extend_from_slice(&format[run.at..run.at + plain]);
        run.at += plain;
        if run.at < format.len() {
            run.at += 1;
            run.directive();
        }
    }
    if !run.is_reordered && run.arg < args.len() {
        run.out.extend_from_slice(b"%!(EXTRA ");
        for (index, arg) in args[run.arg..].iter().enumerate() {
            if index > 0 {
                run.out.extend_from_slice(b", ");
            }
            if !arg.is_nil() {
                run.out.extend_from_slice(type_name(arg).as_bytes());
                run.out.push(b'=');
            }
            write_value(&mut run.out, arg);
        }
        run.out.push(b')');
    }
    run.out
}

struct Run<'a> {
    format: &'a [u8],
    at: usize,
    args: &'a [Value],
    arg: usize,
    is_reordered: bool,
    is_good: bool,
    out: Vec<u8>,
}

impl Run<'_> {
    fn byte(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// Handles what follows a percent sign.
    fn directive(&mut self) {
        self.is_good = true;
        let mut flags = Flags::default();
        while let Some(byte) = self.byte() {
            match byte {
                b'#' => flags.is_sharp = true,
                b'0' => flags.is_zero = true,
                b'+' => flags.is_plus = true,
                b'-' => flags.is_minus = true,
                b' ' => flags.is_space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut after_index = self.index();
        if self.byte() == Some(b'*') {
            self.at += 1;
            match self.size() {
                Some(width) => {
                    flags.is_minus |= width < 0;
                    flags.width = Some(width.unsigned_abs() as usize);
                }
                None => self.out.extend_from_slice(b"%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            flags.width = self.digits();
            self.is_good &= !(after_index && flags.width.is_some());
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.is_good &= !after_index;
            after_index = self.index();
            if self.byte() == Some(b'*') {
                self.at += 1;
                match self.size() {
                    Some(precision) if precision >= 0 => flags.precision = Some(precision as usize),
                    _ => self.out.extend_from_slice(b"%!(BADPREC)"),
                }
                after_index = false;
            } else {
                flags.precision = Some(self.digits().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        self.verb(flags);
    }

    fn verb(&mut self, flags: Flags) {
        let rest = &self.format[self.at..];
        let Some(chunk) = rest.utf8_chunks().next() else {
            self.out.extend_from_slice(b"%!(NOVERB)");
            return;
        };
        let verb = chunk.valid().chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
        self.at += if chunk.valid().is_empty() { 1 } else { verb.len_utf8() };
        if verb == '%' {
            self.out.push(b'%');
            return;
        }
        let problem = if !self.is_good {
            "(BADINDEX)"
        } else if self.arg >= self.args.len() {
            "(MISSING)"
        } else {
            // A plus asks `%v` for more of structs, not for signs.
            let flags = Flags { is_plus: flags.is_plus && verb != 'v', ..flags };
            write_verb(&mut self.out, flags, verb, &self.args[self.arg]);
            self.arg += 1;
            return;
        };
        self.out.extend_from_slice(format!("%!{verb}{problem}").as_bytes());
    }

    /// Reads an index such as `[2]`; tells whether there was one.
    fn index(&mut self) -> bool {
        if self.byte() != Some(b'[') {
            return false;
        }
        self.is_reordered = true;
        let rest = &self.format[self.at..];
        let Some(end) = rest.iter().position(|byte| *byte == b']') else {
            self.is_good = false;
            self.at += 1;
            return false;
        };
        let number = std::str::from_utf8(&rest[1..end]).ok().and_then(|text| text.parse::<usize>().ok());
        self.at += end + 1;
        match number {
            Some(number) if (1..=self.args.len()).contains(&number) => {
                self.arg = number - 1;
                true
            }
            other => {
                self.is_good = false;
                other.is_some()
            }
        }
    }

    /// Reads a width or precision that an argument gives.
    fn size(&mut self) -> Option<i64> {
        let arg = self.args.get(self.arg)?;
        self.arg += 1;
        match arg {
            Value::Int(size) | Value::Int64(size) if size.abs() <= WIDEST => Some(*size),
            Value::Uint8(size) => Some(i64::from(*size)),
            _ => None,
        }
    }

    fn digits(&mut self) -> Option<usize> {
        let start = self.at;
        let mut size = 0;
        while let Some(digit) = self.byte().filter(u8::is_ascii_digit) {
            size = size * 10 + i64::from(digit - b'0');
            if size > WIDEST {
                return None;
            }
            self.at += 1;
        }
        (self.at > start).then_some(size as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_go_does() {
        let check = |format: &str, args: &[Value], text: &str| {
            assert_eq!(String::from_utf8_lossy(&printf(format.as_bytes(), args)), text, "{format}");
        };
        let (int, float, string) = (Value::Int(42), Value::Float(2.5), Value::from("hi"));
        check("%d|%5d|%-5d|%05d|%+d|%x|%#x", &vec![int.clone(); 7], "42|   42|42   |00042|+42|2a|0x2a");
        check("%[2]d %[1]d", &[Value::Int(1), Value::Int(2)], "2 1");
        check("%[3]d", std::slice::from_ref(&int), "%!d(BADINDEX)");
        check("%6.2f|%e|%g|%08.3f|%.0f", &vec![float.clone(); 5], "  2.50|2.500000e+00|2.5|0002.500|2");
        check("%s|%q|%5s|%-5s|%.1s|%x|% X", &vec![string.clone(); 7], "hi|\"hi\"|   hi|hi   |h|6869|68 69");
        check("%d %d", std::slice::from_ref(&int), "42 %!d(MISSING)");
        check("%d", &[string.clone(), int.clone()], "%!d(string=hi)%!(EXTRA int=42)");
        check("%v %#v %T %t", &vec![Value::from(true); 4], "true true bool true");
        check("%s %v %d", &[Value::Nil, Value::Nil, Value::Nil], "%!s(<nil>) <nil> %!d(<nil>)");
        check(
            "%s|%q|%d",
            &vec![Value::list(vec![string, int]); 3],
            "[hi %!s(int=42)]|[\"hi\" '*']|[%!d(string=hi) 42]",
        );
        check("100%", &[], "100%!(NOVERB)");
        check("%*d|%.*f", &[Value::Int(4), Value::Int(7), Value::Int(1), float], "   7|2.5");
        check("%+v|%+d", &[Value::Int(5), Value::Int(5)], "5|+5");
        check(
            "%x|%X|%x|%x",
            &[Value::Float(2.5), Value::Float(-0.1), Value::Float(0.0), Value::Float(5e-324)],
            "0x1.4p+01|-0X1.999999999999AP-04|0x0p+00|0x1p-1074",
        );
        check("%c%U%q", &[Value::Int(233), Value::Int(233), Value::Int(233)], "éU+00E9'é'");
    }
}
