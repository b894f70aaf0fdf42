//! The window's own pages: a sentence, and nothing that could be clicked.

/// A page that says `sentence`.
pub(super) fn of_ours(language: &str, title: &str, sentence: &str) -> String {
    let (title, sentence) = (escaped(title), escaped(sentence));
    format!(
        "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\">\
         <meta http-equiv=\"content-security-policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>{title}</title><style>:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}\
         body {{ display: grid; place-items: center; min-height: 90vh; margin: 0 }}\
         p {{ max-width: 24rem; padding: 1.5rem; text-align: center }}</style><p role=\"alert\">{sentence}</p></html>"
    )
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut page, letter| {
        match letter {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ => page.push(letter),
        }
        page
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_text() {
        let page = of_ours("en", "Sign in", "<script>alert('x')</script> & \"more\"");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }
}
