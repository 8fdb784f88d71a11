//! Exact decimal numbers, for sums that have to come out as on paper.

/// So many places a quotient has.
const QUOTIENT_PLACES: i64 = 16;

/// A decimal number: digits, and the power of ten that the last one counts.
#[derive(Clone, Debug)]
pub(super) struct Decimal {
    is_negative: bool,
    /// The digits, the last one first; without zeros at the far end.
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Returns the shortest decimal number that a float stands for.
    pub fn new(float: f64) -> Result<Self, String> {
        if !float.is_finite() {
            return Err(format!("Cannot create a Decimal from {}", crate::template::format_float(float)));
        }
        let text = format!("{:e}", float.abs());
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let places = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
        let exponent: i64 = exponent.parse().unwrap_or_default();
        let digits = digits.bytes().rev().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        Ok(Self { is_negative: float < 0.0, digits, exponent: exponent - places }.trimmed())
    }

    /// Returns the nearest float.
    pub fn to_float(&self) -> f64 {
        let digits: String = self.digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
        let sign = if self.is_negative { "-" } else { "" };
        // Nothing at all would not be a number.
        format!("{sign}0{digits}e{}", self.exponent).parse().unwrap_or_default()
    }

    /// Returns how long it is: what counting with it costs.
    pub fn digit_count(&self) -> usize {
        self.digits.len()
    }

    fn trimmed(mut self) -> Self {
        trim(&mut self.digits);
        self.is_negative &= !self.digits.is_empty();
        self
    }

    /// Returns the digits as they are for a smaller exponent.
    fn shifted(&self, exponent: i64) -> Vec<u8> {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or_default();
        let mut digits = vec![0; zeros];
        digits.extend_from_slice(&self.digits);
        digits
    }

    pub fn add(&self, other: &Self) -> Result<Self, String> {
        let exponent = self.exponent.min(other.exponent);
        let (left, right) = (self.shifted(exponent), other.shifted(exponent));
        let (is_negative, digits) = if self.is_negative == other.is_negative {
            (self.is_negative, sum(&left, &right))
        } else if is_less(&left, &right) {
            (other.is_negative, difference(right, &left))
        } else {
            (self.is_negative, difference(left, &right))
        };
        Ok(Self { is_negative, digits, exponent }.trimmed())
    }

    pub fn subtract(&self, other: &Self) -> Result<Self, String> {
        self.add(&Self { is_negative: !other.is_negative, ..other.clone() })
    }

    pub fn multiply(&self, other: &Self) -> Result<Self, String> {
        let mut columns = vec![0u64; self.digits.len() + other.digits.len()];
        for (place, left) in self.digits.iter().enumerate() {
            for (column, right) in columns[place..].iter_mut().zip(&other.digits) {
                *column += u64::from(*left) * u64::from(*right);
            }
        }
        let mut carry = 0;
        let digits = columns
            .into_iter()
            .map(|column| {
                let value = column + carry;
                carry = value / 10;
                (value % 10) as u8
            })
            .collect();
        let is_negative = self.is_negative != other.is_negative;
        Ok(Self { is_negative, digits, exponent: self.exponent + other.exponent }.trimmed())
    }

    /// Divides to so many places; a half is rounded away from zero.
    pub fn divide(&self, other: &Self) -> Result<Self, String> {
        if other.digits.is_empty() {
            return Err("decimal division by 0".into());
        }
        // quotient * 10^-places = (left * 10^shift) / right
        let shift = self.exponent - other.exponent + QUOTIENT_PLACES;
        let (left, right) = if shift >= 0 {
            (self.shifted(self.exponent - shift), other.digits.clone())
        } else {
            (self.digits.clone(), other.shifted(other.exponent + shift))
        };
        let (mut digits, rest) = quotient(&left, &right);
        if !is_less(&sum(&rest, &rest), &right) {
            digits = sum(&digits, &[1]);
        }
        let is_negative = self.is_negative != other.is_negative;
        Ok(Self { is_negative, digits, exponent: -QUOTIENT_PLACES }.trimmed())
    }
}

fn trim(digits: &mut Vec<u8>) {
    while digits.last() == Some(&0) {
        digits.pop();
    }
}

/// Compares digits; zeros at the far end do not count.
fn is_less(left: &[u8], right: &[u8]) -> bool {
    let length = left.len().max(right.len());
    let digits = |digits: &[u8], place| digits.get(place).copied().unwrap_or(0);
    for place in (0..length).rev() {
        let (left, right) = (digits(left, place), digits(right, place));
        if left != right {
            return left < right;
        }
    }
    false
}

fn sum(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut digits: Vec<u8> = (0..left.len().max(right.len()))
        .map(|place| {
            let value = left.get(place).unwrap_or(&0) + right.get(place).unwrap_or(&0) + carry;
            carry = value / 10;
            value % 10
        })
        .collect();
    if carry > 0 {
        digits.push(carry);
    }
    digits
}

/// Takes the smaller number from the bigger one.
fn difference(mut bigger: Vec<u8>, smaller: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    for (place, digit) in bigger.iter_mut().enumerate() {
        let taken = smaller.get(place).unwrap_or(&0) + borrow;
        borrow = u8::from(*digit < taken);
        *digit = *digit + 10 * borrow - taken;
    }
    bigger
}

/// Divides whole numbers; returns the quotient and the rest.
fn quotient(left: &[u8], right: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut digits, mut rest) = (vec![0; left.len()], Vec::new());
    for (place, digit) in left.iter().enumerate().rev() {
        rest.insert(0, *digit);
        trim(&mut rest);
        while !is_less(&rest, right) {
            rest = difference(rest, right);
            trim(&mut rest);
            digits[place] += 1;
        }
    }
    (digits, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Operation = fn(&Decimal, &Decimal) -> Result<Decimal, String>;

    #[test]
    fn as_on_paper() {
        let check = |operation: Operation, left: f64, right: f64, expected: f64| {
            let result = operation(&Decimal::new(left).unwrap(), &Decimal::new(right).unwrap()).unwrap();
            assert_eq!(result.to_float(), expected, "{left} {right}");
        };
        check(Decimal::add, 0.1, 0.2, 0.3);
        check(Decimal::add, 1e20, -1e-5, 1e20);
        check(Decimal::add, -0.1, 0.1, 0.0);
        check(Decimal::subtract, 1.0, 0.9, 0.1);
        check(Decimal::subtract, 0.5, 10.0, -9.5);
        check(Decimal::multiply, 1.1, -1.1, -1.21);
        check(Decimal::multiply, 0.0, 5.0, 0.0);
        check(Decimal::divide, 1.0, 3.0, 0.333_333_333_333_333_3);
        check(Decimal::divide, 2.0, 3.0, 0.666_666_666_666_666_7);
        check(Decimal::divide, 1e300, 1e299, 10.0);
        check(Decimal::divide, 1.0, 1e300, 0.0);
        check(Decimal::divide, -6.0, 4.0, -1.5);
        assert!(Decimal::new(f64::NAN).is_err());
    }
}
