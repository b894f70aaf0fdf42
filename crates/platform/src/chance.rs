//! Chance, for waiting times: those who try again must not all come at once.

/// A number from 0 to 1, another each time. A system without randomness gives 1: whoever waits waits the whole time.
pub fn chance() -> f64 {
    let mut bytes = [0_u8; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::chance;

    #[test]
    fn chance_is_between_nothing_and_all_and_is_not_always_the_same() {
        let drawn: Vec<f64> = (0..32).map(|_| chance()).collect();
        assert!(drawn.iter().all(|number| (0.0..=1.0).contains(number)));
        assert!(drawn.windows(2).any(|pair| pair[0].to_bits() != pair[1].to_bits()));
    }
}
