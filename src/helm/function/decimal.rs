//! Decimal numbers, with which the float functions calculate.

/// Digits after the point of a quotient.
const PRECISION: i32 = 16;

/// A number `mantissa × 10^exponent`, or a float where that is out of range.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decimal {
    Exact { mantissa: i128, exponent: i32 },
    Float(f64),
}

impl Decimal {
    /// Returns the number that a float prints as.
    pub fn new(float: f64) -> Self {
        Self::read(&format!("{float:e}")).unwrap_or(Self::Float(float))
    }

    fn read(text: &str) -> Option<Self> {
        let (digits, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let places = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let mantissa = digits.replace('.', "").parse().ok()?;
        Some(Self::Exact { mantissa, exponent: exponent - i32::try_from(places).ok()? })
    }

    /// Returns the nearest float.
    pub fn float(self) -> f64 {
        match self {
            Self::Float(float) => float,
            Self::Exact { mantissa, exponent } => format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN),
        }
    }

    pub fn plus(self, other: Self) -> Result<Self, String> {
        Ok(self.aligned(other, i128::checked_add).unwrap_or_else(|| Self::Float(self.float() + other.float())))
    }

    pub fn minus(self, other: Self) -> Result<Self, String> {
        Ok(self.aligned(other, i128::checked_sub).unwrap_or_else(|| Self::Float(self.float() - other.float())))
    }

    pub fn times(self, other: Self) -> Result<Self, String> {
        let product = || {
            let (Self::Exact { mantissa: a, exponent: b }, Self::Exact { mantissa: c, exponent: d }) = (self, other)
            else {
                return None;
            };
            Some(Self::Exact { mantissa: a.checked_mul(c)?, exponent: b.checked_add(d)? })
        };
        Ok(product().unwrap_or_else(|| Self::Float(self.float() * other.float())))
    }

    pub fn divided_by(self, other: Self) -> Result<Self, String> {
        if other.float() == 0.0 {
            return Err("decimal division by 0".into());
        }
        let quotient = || {
            let (Self::Exact { mantissa: a, exponent: b }, Self::Exact { mantissa: c, exponent: d }) = (self, other)
            else {
                return None;
            };
            let shift = PRECISION + b - d;
            let (above, below) =
                if shift >= 0 { (a.checked_mul(power(shift)?)?, c) } else { (a, c.checked_mul(power(-shift)?)?) };
            let (whole, rest) = (above / below, above % below);
            let is_up = rest.unsigned_abs().checked_mul(2)? >= below.unsigned_abs();
            let step = if (above < 0) == (below < 0) { 1 } else { -1 };
            Some(Self::Exact { mantissa: if is_up { whole + step } else { whole }, exponent: -PRECISION })
        };
        Ok(quotient().unwrap_or_else(|| Self::Float(self.float() / other.float())))
    }

    /// Calculates with both at the smaller exponent; `None` if that is out of range.
    fn aligned(self, other: Self, with: fn(i128, i128) -> Option<i128>) -> Option<Self> {
        let (Self::Exact { mantissa: a, exponent: b }, Self::Exact { mantissa: c, exponent: d }) = (self, other) else {
            return None;
        };
        let exponent = b.min(d);
        let a = a.checked_mul(power(b - exponent)?)?;
        let c = c.checked_mul(power(d - exponent)?)?;
        Some(Self::Exact { mantissa: with(a, c)?, exponent })
    }
}

fn power(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_where_floats_are_not() {
        let check = |result: Result<Decimal, String>, wanted: f64| {
            assert!((result.expect("a number").float() - wanted).abs() == 0.0, "{wanted}");
        };
        check(Decimal::new(0.1).plus(Decimal::new(0.2)), 0.3);
        check(Decimal::new(1.0).minus(Decimal::new(0.9)), 0.1);
        check(Decimal::new(1.1).times(Decimal::new(1.1)), 1.21);
        check(Decimal::new(-2.0).divided_by(Decimal::new(3.0)), -0.666_666_666_666_666_7);
        check(Decimal::new(1e300).plus(Decimal::new(1e-300)), 1e300);
    }
}
