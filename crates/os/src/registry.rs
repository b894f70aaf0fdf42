//! What a company's policy says in the Windows registry; nothing on other systems.

/// A text or a number below `HKEY_LOCAL_MACHINE` or `HKEY_CURRENT_USER`, as a text; the machine's comes first.
#[cfg(windows)]
pub fn policy_value(key: &str, name: &str) -> Option<String> {
    use windows_sys::Win32::System::Registry::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};
    [HKEY_LOCAL_MACHINE, HKEY_CURRENT_USER].into_iter().find_map(|root| value(root, key, name))
}

/// Other systems have no registry.
#[cfg(not(windows))]
pub fn policy_value(_key: &str, _name: &str) -> Option<String> {
    None
}

#[cfg(windows)]
fn value(root: windows_sys::Win32::System::Registry::HKEY, key: &str, name: &str) -> Option<String> {
    use windows_sys::Win32::System::Registry::{RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RegGetValueW};
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let (key, name) = (wide(key), wide(name));
    let (mut kind, mut text, mut size) = (0, vec![0u16; 32 * 1024], 64 * 1024);
    // SAFETY: both names end with a zero, and `size` is the length of `text` in bytes.
    #[expect(unsafe_code, reason = "the registry has no safe call")]
    let read = unsafe {
        let flags = RRF_RT_REG_SZ | RRF_RT_REG_DWORD;
        RegGetValueW(root, key.as_ptr(), name.as_ptr(), flags, &raw mut kind, text.as_mut_ptr().cast(), &raw mut size)
    };
    const DWORD: u32 = 4;
    match (read, kind) {
        (0, DWORD) => Some((u32::from(text[0]) | u32::from(text[1]) << 16).to_string()),
        (0, _) => Some(String::from_utf16_lossy(&text[..(size as usize / 2).saturating_sub(1)])),
        _ => None,
    }
}
