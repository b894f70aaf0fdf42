//! The icons that operating systems want, drawn from the SVG in `icons/`.
//!
//! Pure Rust and the same bytes everywhere, so that what is committed can be compared.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use resvg::{tiny_skia, usvg};

/// The key's colour on a panel that is light, on one that is dark, and on one of which nothing is known: that one stands
/// out from both.
const TRAY_COLOURS: [(&str, &str); 3] = [("light", "#8a6516"), ("dark", "#e3b75d"), ("unknown", "#b08020")];
/// macOS takes the shape alone and gives it the menu bar's own colour.
const TEMPLATE_COLOUR: &str = "#000000";
const TRAY_SHAPES: [&str; 5] = ["ready", "sign-in", "asking", "blocked", "offline"];
const TRAY_SIZES: [u32; 2] = [32, 64];
/// What Tauri's bundler looks for, by name.
const APP_SIZES: [(&str, u32); 4] =
    [("32x32.png", 32), ("128x128.png", 128), ("128x128@2x.png", 256), ("icon.png", 512)];
const ICO_SIZES: [u32; 6] = [16, 24, 32, 48, 64, 256];
/// The sizes of an Apple icon family that are plain PNG, each under its type.
const ICNS_SIZES: [(&[u8; 4], u32); 5] = [(b"ic11", 32), (b"ic12", 64), (b"ic07", 128), (b"ic08", 256), (b"ic09", 512)];

/// A drawn icon: its path below the root, and what belongs in it.
pub(crate) type Icon = (String, Vec<u8>);

/// Every icon, drawn anew from its source.
pub(crate) fn files(root: &Path) -> Result<Vec<Icon>> {
    let app = source(root, "app")?;
    let mut icons = Vec::new();
    for shape in TRAY_SHAPES {
        let svg = source(root, &format!("tray-{shape}"))?;
        for ((panel, colour), size) in TRAY_COLOURS.into_iter().flat_map(|two| TRAY_SIZES.map(|size| (two, size))) {
            let drawn = png(&svg.replace("currentColor", colour), size)?;
            icons.push((format!("icons/tray/{shape}-{panel}-{size}.png"), drawn));
        }
        let template = png(&svg.replace("currentColor", TEMPLATE_COLOUR), 44)?;
        icons.push((format!("icons/tray/{shape}-template.png"), template));
    }
    for (name, size) in APP_SIZES {
        icons.push((format!("icons/{name}"), png(&app, size)?));
    }
    icons.push(("icons/icon.ico".into(), ico(&app)?));
    icons.push(("icons/icon.icns".into(), icns(&app)?));
    Ok(icons)
}

/// Writes what is not as it should be, and tells which.
pub(crate) fn generate(root: &Path) -> Result<Vec<String>> {
    let stale = stale(root)?;
    for (path, bytes) in &stale {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(&path, bytes).with_context(|| format!("write `{}`", path.display()))?;
    }
    Ok(stale.into_iter().map(|(path, _)| path).collect())
}

/// Fails if an icon is not what its source makes of it.
pub(crate) fn check(root: &Path) -> Result<()> {
    let stale: Vec<_> = stale(root)?.into_iter().map(|(path, _)| path).collect();
    if stale.is_empty() { Ok(()) } else { bail!("not what their SVG makes of them: {}", stale.join(", ")) }
}

/// Every state of the tray on a light and on a dark panel, at twice its size, as one picture.
pub(crate) fn states(root: &Path) -> Result<Vec<u8>> {
    const PANELS: [(&str, &str); 2] = [("#f3f3f1", TRAY_COLOURS[0].1), ("#17191c", TRAY_COLOURS[1].1)];
    const STEP: usize = 64;
    let (width, height) = (STEP * TRAY_SHAPES.len(), STEP * PANELS.len());
    let mut sheet = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">"#);
    for (row, (panel, colour)) in PANELS.into_iter().enumerate() {
        let y = row * STEP;
        sheet += &format!(r#"<path d="M0 {y}h{width}v{STEP}H0z" fill="{panel}"/>"#);
        for (column, shape) in TRAY_SHAPES.into_iter().enumerate() {
            let svg = source(root, &format!("tray-{shape}"))?.replace("currentColor", colour);
            // Two of one name in one picture would be one.
            let svg = svg.replace("around-the-bar", &format!("bar-{row}"));
            let (x, y) = (column * STEP + 20, y + 20);
            sheet += &svg.replacen("<svg ", &format!(r#"<svg x="{x}" y="{y}" width="24" height="24" "#), 1);
        }
    }
    png(&(sheet + "</svg>"), u32::try_from(2 * width)?)
}

fn stale(root: &Path) -> Result<Vec<Icon>> {
    let is_stale = |(path, bytes): &Icon| fs::read(root.join(path)).ok().as_ref() != Some(bytes);
    Ok(files(root)?.into_iter().filter(is_stale).collect())
}

fn source(root: &Path, name: &str) -> Result<String> {
    let path = root.join(format!("icons/{name}.svg"));
    fs::read_to_string(&path).with_context(|| format!("read `{}`", path.display()))
}

fn png(svg: &str, size: u32) -> Result<Vec<u8>> {
    let tree = usvg::Tree::from_str(svg, &usvg::Options::default()).context("read the SVG")?;
    #[expect(clippy::cast_precision_loss, reason = "pictures are at most a few hundred pixels wide")]
    let scale = size as f32 / tree.size().width();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as above")]
    let height = (tree.size().height() * scale).round() as u32;
    let mut pixels = tiny_skia::Pixmap::new(size, height).context("a picture has a size")?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().context("write the PNG")
}

/// A Windows icon: a header, a directory of 16 bytes for each size, and the sizes as PNG.
fn ico(svg: &str) -> Result<Vec<u8>> {
    let images = ICO_SIZES.iter().map(|size| png(svg, *size)).collect::<Result<Vec<_>>>()?;
    let count = u16::try_from(images.len())?;
    let mut file = [0_u16, 1, count].map(u16::to_le_bytes).concat();
    let mut offset = u32::from(6 + 16 * count);
    for (size, image) in ICO_SIZES.iter().zip(&images) {
        // 0 stands for 256.
        let edge = u8::try_from(*size).unwrap_or(0);
        let length = u32::try_from(image.len())?;
        file.extend([edge, edge, 0, 0, 1, 0, 32, 0]);
        file.extend(length.to_le_bytes());
        file.extend(offset.to_le_bytes());
        offset += length;
    }
    file.extend(images.concat());
    Ok(file)
}

/// An Apple icon: a header, then each size as PNG under its type and length.
fn icns(svg: &str) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    for (kind, size) in ICNS_SIZES {
        let image = png(svg, size)?;
        body.extend(kind);
        body.extend(u32::try_from(image.len() + 8)?.to_be_bytes());
        body.extend(image);
    }
    Ok([b"icns".as_slice(), &u32::try_from(body.len() + 8)?.to_be_bytes(), &body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places;

    #[test]
    fn icons_are_current() {
        check(places::root()).unwrap();
    }

    #[test]
    fn what_is_drawn_once_is_drawn_the_same_again() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("icons")).unwrap();
        for name in ["app", "tray-ready", "tray-sign-in", "tray-asking", "tray-blocked", "tray-offline"] {
            fs::write(home.path().join(format!("icons/{name}.svg")), source(places::root(), name).unwrap()).unwrap();
        }
        assert!(check(home.path()).is_err(), "nothing is drawn yet");
        assert_eq!(generate(home.path()).unwrap().len(), 41);
        assert!(generate(home.path()).unwrap().is_empty());
        check(home.path()).unwrap();
    }
}
