//! New RSA keys, for `genPrivateKey`.

use num_bigint::BigUint;

use super::random;

/// The public exponent that everybody uses.
const EXPONENT: u32 = 65_537;

/// How many random bases have to speak for a number before it is taken for a prime.
const ROUNDS: usize = 8;

/// How far above a random number a prime is looked for before another one is drawn.
const REACH: u32 = 1 << 14;

/// Returns the numbers of a new private key as PKCS #1 has them, from the modulus on.
pub(super) fn generate(bits: usize) -> Result<[BigUint; 8], String> {
    loop {
        let (first, second) = std::thread::scope(|scope| {
            let other = scope.spawn(|| prime(bits / 2));
            (prime(bits / 2), other.join())
        });
        let second = second.map_err(|_| "the search for a prime ended early")?;
        if let Some(numbers) = numbers(first, second) {
            return Ok(numbers);
        }
    }
}

/// Returns the numbers of the key that two primes make, if they make one.
fn numbers(p: BigUint, q: BigUint) -> Option<[BigUint; 8]> {
    let one = BigUint::from(1_u32);
    let exponent = BigUint::from(EXPONENT);
    let (below_p, below_q) = (&p - &one, &q - &one);
    let private = exponent.modinv(&(&below_p * &below_q))?;
    let coefficient = q.modinv(&p)?;
    let (for_p, for_q) = (&private % below_p, &private % below_q);
    Some([&p * &q, exponent, private, p, q, for_p, for_q, coefficient])
}

/// Returns a prime of so many bits; the product of two has twice as many.
fn prime(bits: usize) -> BigUint {
    let small = small_primes();
    loop {
        let start = candidate(bits);
        let rests: Vec<u32> = small.iter().map(|prime| rest(&start, *prime)).collect();
        let offsets = (0..REACH)
            .step_by(2)
            .filter(|offset| small.iter().zip(&rests).all(|(prime, rest)| (rest + offset) % prime != 0));
        let mut numbers = offsets.map(|offset| &start + offset);
        if let Some(found) = numbers.find(|number| number.bits() == bits as u64 && is_prime(number)) {
            return found;
        }
    }
}

/// Returns a random odd number whose highest two bits are set.
fn candidate(bits: usize) -> BigUint {
    let mut number = BigUint::from_bytes_be(&random::bytes(bits.div_ceil(8)));
    number >>= bits.div_ceil(8) * 8 - bits;
    for bit in [0, bits - 2, bits - 1] {
        number.set_bit(bit as u64, true);
    }
    number
}

fn rest(number: &BigUint, by: u32) -> u32 {
    (number % by).iter_u32_digits().next().unwrap_or(0)
}

fn small_primes() -> Vec<u32> {
    const END: usize = 1 << 14;
    let mut is_composite = vec![false; END];
    let mut primes = Vec::new();
    for number in 2..END {
        if !is_composite[number] {
            primes.push(number as u32);
            (number * number..END).step_by(number).for_each(|multiple| is_composite[multiple] = true);
        }
    }
    primes
}

/// Tells whether a big odd number is a prime, as sure as one can be (Miller and Rabin).
fn is_prime(number: &BigUint) -> bool {
    let one = BigUint::from(1_u32);
    let last = number - &one;
    let twos = last.trailing_zeros().unwrap_or(0);
    let odd = &last >> twos;
    let speaks_for = |base: &BigUint| {
        let mut power = base.modpow(&odd, number);
        if power == one || power == last {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % number;
            power == last
        })
    };
    let bytes = number.bits().div_ceil(8) as usize;
    let bases = (0..ROUNDS).map(|_| BigUint::from_bytes_be(&random::bytes(bytes)) % &last + &one);
    // Nearly all that is no prime fails with the first base.
    speaks_for(&BigUint::from(2_u32)) && bases.into_iter().all(|base| base == one || speaks_for(&base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_told_from_others() {
        let mersenne = |bits: u32| (BigUint::from(1_u32) << bits) - 1_u32;
        for bits in [89, 107, 127, 521] {
            assert!(is_prime(&mersenne(bits)), "2^{bits} - 1");
        }
        // Two of these are products of two primes, one fails only some bases.
        for composite in [mersenne(101), mersenne(67), BigUint::from(3_215_031_751_u32)] {
            assert!(!is_prime(&composite), "{composite}");
        }
    }

    #[test]
    fn keys_undo_what_they_do() {
        let [modulus, exponent, private, p, q, ..] = generate(512).unwrap();
        assert_eq!((modulus.bits(), &p * &q), (512, modulus.clone()));
        let message = BigUint::from(0x0123_4567_89ab_cdef_u64);
        assert_eq!(message.modpow(&exponent, &modulus).modpow(&private, &modulus), message);
    }
}
