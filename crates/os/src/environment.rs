//! What another program of the same user can slip into a process that shows pages, through its environment (SEC-53):
//! libraries to load, inspectors to open, secrets of TLS to write down.
//!
//! A library that is preloaded runs before us and can undo this. What we start has none of it all the same.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

/// How names of such variables begin.
const FAMILIES: [&str; 14] = [
    "DYLD_",
    "G_TLS_",
    "GDK_PIXBUF_",
    "GIO_",
    "GST_",
    "GTK_",
    "GTK2_",
    "GTK3_",
    "JSC_",
    "LD_",
    "TAURI_",
    "VK_",
    "WEBKIT_",
    "WEBVIEW2_",
];

/// Other such variables.
const OTHERS: [&str; 8] = [
    "GBM_BACKENDS_PATH",
    "GCONV_PATH",
    "LIBGL_DRIVERS_PATH",
    "LIBVA_DRIVERS_PATH",
    "LOCPATH",
    "SSLKEYLOGFILE",
    "__EGL_VENDOR_LIBRARY_DIRS",
    "__EGL_VENDOR_LIBRARY_FILENAMES",
];

/// Members of those families that people need, and that only choose between things that are there: themes, input
/// methods, and ways to draw that some graphics drivers want.
const HARMLESS: [&str; 9] = [
    "GTK_A11Y",
    "GTK_CSD",
    "GTK_IM_MODULE",
    "GTK_OVERLAY_SCROLLING",
    "GTK_THEME",
    "GTK_USE_PORTAL",
    "WEBKIT_DISABLE_COMPOSITING_MODE",
    "WEBKIT_DISABLE_DMABUF_RENDERER",
    "WEBKIT_SKIA_ENABLE_CPU_RENDERING",
];

/// What a WebDriver sets to drive a window.
const AUTOMATION: [&str; 2] = ["TAURI_", "WEBKIT_INSPECTOR_SERVER"];

/// How much is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleaning {
    /// All of it.
    Whole,
    /// All but what lets a test drive the window.
    AllButAutomation,
}

/// The variables that are set here and should not be.
pub fn unwanted(cleaning: Cleaning) -> Vec<OsString> {
    let bundle = bundle();
    let set = std::env::vars_os();
    set.filter(|(name, value)| is_unwanted(name, cleaning) && !is_of_bundle(value, bundle.as_deref()))
        .map(|(name, _)| name)
        .collect()
}

fn is_unwanted(name: &OsStr, cleaning: Cleaning) -> bool {
    // A name that is no text is none of those.
    let Some(name) = name.to_str() else { return false };
    let name = if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() };
    let spared = match cleaning {
        Cleaning::Whole => false,
        Cleaning::AllButAutomation => AUTOMATION.iter().any(|prefix| name.starts_with(prefix)),
    };
    let listed = OTHERS.contains(&name.as_str()) || FAMILIES.iter().any(|family| name.starts_with(family));
    listed && !spared && !HARMLESS.contains(&name.as_str())
}

/// The folder of the AppImage that this program runs from, which finds its libraries by such variables.
fn bundle() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("APPDIR")?);
    std::env::current_exe().ok()?.starts_with(&folder).then_some(folder)
}

fn is_of_bundle(value: &OsStr, bundle: Option<&Path>) -> bool {
    bundle.is_some_and(|bundle| std::env::split_paths(value).all(|path| path.starts_with(bundle)))
}

/// Goes on without those variables. On Unix this program begins anew in place, which it does at its very start: the
/// loader has read them already.
///
/// # Errors
/// If this program cannot be begun anew.
#[cfg(unix)]
pub fn clean(cleaning: Cleaning) -> io::Result<()> {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;
    let unwanted = unwanted(cleaning);
    if unwanted.is_empty() {
        return Ok(());
    }
    let mut arguments = std::env::args_os();
    let mut again = Command::new(std::env::current_exe()?);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    again.args(arguments);
    for name in unwanted {
        again.env_remove(name);
    }
    Err(again.exec())
}

/// Goes on without those variables: here nothing has read them yet.
///
/// # Errors
/// None on this system.
#[cfg(windows)]
pub fn clean(cleaning: Cleaning) -> io::Result<()> {
    for name in unwanted(cleaning) {
        // SAFETY: on Windows this is safe at any time; `remove_var` is unsafe for other systems' sake.
        #[expect(unsafe_code, reason = "the standard library's own wording")]
        unsafe {
            std::env::remove_var(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwanted_of<'n>(names: &[&'n str], cleaning: Cleaning) -> Vec<&'n str> {
        names.iter().copied().filter(|name| is_unwanted(OsStr::new(name), cleaning)).collect()
    }

    #[test]
    fn sec_53_what_opens_a_page_to_others_goes() {
        let bad = [
            "LD_PRELOAD",
            "LD_AUDIT",
            "GTK_MODULES",
            "GTK3_MODULES",
            "GTK_PATH",
            "GIO_EXTRA_MODULES",
            "WEBKIT_INSPECTOR_SERVER",
            "WEBKIT_INSPECTOR_HTTP_SERVER",
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS",
            "WEBVIEW2_ADDITIONAL_BROWSER_ARGUMENTS",
            "WEBVIEW2_BROWSER_EXECUTABLE_FOLDER",
            "TAURI_WEBVIEW_AUTOMATION",
            "TAURI_AUTOMATION",
            "DYLD_INSERT_LIBRARIES",
            "SSLKEYLOGFILE",
        ];
        assert_eq!(unwanted_of(&bad, Cleaning::Whole), bad);
        let driven = ["WEBKIT_INSPECTOR_SERVER", "TAURI_WEBVIEW_AUTOMATION", "TAURI_AUTOMATION"];
        let left = bad.iter().copied().filter(|name| !driven.contains(name)).collect::<Vec<_>>();
        assert_eq!(unwanted_of(&bad, Cleaning::AllButAutomation), left);
    }

    #[test]
    fn what_people_need_stays() {
        let good =
            ["PATH", "HOME", "LANG", "DISPLAY", "GTK_THEME", "GTK_IM_MODULE", "GDK_BACKEND", "https_proxy", "LESS"];
        assert_eq!(unwanted_of(&good, Cleaning::Whole), [""; 0]);
    }

    // Lists of folders are written another way elsewhere, where no program is mounted with its libraries.
    #[cfg(unix)]
    #[test]
    fn a_bundle_finds_its_own_libraries_and_nobody_elses() {
        let bundle = Path::new("/tmp/.mount_KeyX");
        let is_of = |value: &str| is_of_bundle(OsStr::new(value), Some(bundle));
        assert!(is_of("/tmp/.mount_KeyX/usr/lib:/tmp/.mount_KeyX/lib"));
        assert!(!is_of("/tmp/.mount_KeyX/usr/lib:/tmp/evil"));
        assert!(!is_of_bundle(OsStr::new("/usr/lib"), None));
    }
}
