//! Asks the person in the terminal in which `serve` runs: one call at a time, and "no" wherever in doubt.
//!
//! What a line answers must have been typed while its question stood there: what came earlier is thrown away.

use std::io::{BufRead as _, IsTerminal as _, Write};
use std::time::Duration;

use async_trait::async_trait;
use keybearer_core::ports::{Answer, Prompter, Question};
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use crate::show::question::{question_text, remaining};

/// Questions that may wait at once, the shown one included; a client that asks faster gets "nobody there".
const PLACES: usize = 3;

/// A line that comes sooner after its question was typed before it could be read.
const ARMING: Duration = Duration::from_millis(600);

/// Puts questions on a terminal.
pub(crate) struct TerminalPrompter {
    places: Semaphore,
    // A mutex and no owner task: it queues the askers in order, and an asker that is dropped leaves the queue by itself.
    desk: Mutex<Desk>,
}

struct Desk {
    /// Lines that were typed; opened with the first question, so that a core in the background never reads before.
    lines: Option<mpsc::Receiver<String>>,
    screen: Box<dyn Write + Send>,
}

impl TerminalPrompter {
    /// The terminal of this process; `None` where there is none to ask on.
    pub(crate) fn attach() -> Option<Self> {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        terminal.then(|| Self::on(None, Box::new(anstream::stderr())))
    }

    fn on(lines: Option<mpsc::Receiver<String>>, screen: Box<dyn Write + Send>) -> Self {
        Self { places: Semaphore::new(PLACES), desk: Mutex::new(Desk { lines, screen }) }
    }
}

#[async_trait]
impl Prompter for TerminalPrompter {
    async fn ask(&self, question: Question) -> Answer {
        let Ok(_place) = self.places.try_acquire() else { return Answer::NobodyThere };
        let end = Instant::now() + question.deadline;
        let answer = async { self.desk.lock().await.ask(&question, end).await };
        timeout_at(end, answer).await.unwrap_or(Answer::TimedOut)
    }
}

impl Desk {
    async fn ask(&mut self, question: &Question, end: Instant) -> Answer {
        let lines = self.lines.get_or_insert_with(typed_lines);
        while lines.try_recv().is_ok() {}
        let mut shown = Shown { screen: &mut self.screen, settled: false };
        shown.say(&question_text(question));
        shown.say(&remaining(end.duration_since(Instant::now())));
        let answer = shown.answer(lines).await;
        shown.settle(answer);
        if answer == Answer::NobodyThere {
            // In the background nothing can be read; once the core is brought back, it can.
            self.lines = None;
        }
        answer
    }
}

/// A question that stands on the screen. If it is withdrawn or times out, the screen says so.
struct Shown<'a> {
    screen: &'a mut (dyn Write + Send),
    settled: bool,
}

impl Shown<'_> {
    async fn answer(&mut self, lines: &mut mpsc::Receiver<String>) -> Answer {
        while let Ok(early) = timeout(ARMING, lines.recv()).await {
            if early.is_none() {
                return Answer::NobodyThere;
            }
            self.say("That came before the question could be read. Allow it? [y/N] ");
        }
        match lines.recv().await {
            None => Answer::NobodyThere,
            Some(line) if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") => Answer::AllowOnce,
            Some(_) => Answer::Deny,
        }
    }

    fn settle(&mut self, answer: Answer) {
        self.settled = true;
        self.say(match answer {
            Answer::AllowOnce => "Allowed, this once.\n",
            Answer::Deny => "Not allowed.\n",
            Answer::NobodyThere => "\nNot allowed: nobody can answer in this terminal now.\n",
            Answer::TimedOut => "\nNot allowed: no answer in time.\n",
        });
    }

    fn say(&mut self, text: &str) {
        // A terminal that is gone gives no answer either: the question ends by its deadline.
        let _ = self.screen.write_all(text.as_bytes()).and_then(|()| self.screen.flush());
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.say("\nNot allowed: no answer in time, or no longer asked.\n");
        }
    }
}

/// Reads lines from standard input on a thread of its own, which ends with the process or the terminal.
fn typed_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::show::question::sample_question;

    /// A screen that reports each text it is given.
    struct Screen(mpsc::UnboundedSender<String>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct Terminal {
        prompter: Arc<TerminalPrompter>,
        keyboard: mpsc::Sender<String>,
        screen: mpsc::UnboundedReceiver<String>,
    }

    impl Terminal {
        fn new() -> Self {
            let (keyboard, lines) = mpsc::channel(16);
            let (writes, screen) = mpsc::unbounded_channel();
            let prompter = Arc::new(TerminalPrompter::on(Some(lines), Box::new(Screen(writes))));
            Self { prompter, keyboard, screen }
        }

        fn ask(&self) -> tokio::task::JoinHandle<Answer> {
            let prompter = Arc::clone(&self.prompter);
            tokio::spawn(async move { prompter.ask(sample_question()).await })
        }

        async fn until(&mut self, text: &str) {
            while !self.screen.recv().await.unwrap().contains(text) {}
        }

        async fn typed(&self, line: &str) {
            self.keyboard.send(line.to_owned()).await.unwrap();
        }
    }

    #[track_caller]
    fn check(line: &'static str, want: Answer) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let got = runtime.block_on(async {
            let mut terminal = Terminal::new();
            let asked = terminal.ask();
            terminal.until("[y/N]").await;
            tokio::time::advance(ARMING + ARMING).await;
            tokio::task::yield_now().await;
            terminal.typed(line).await;
            asked.await.unwrap()
        });
        assert_eq!(got, want, "for {line:?}");
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        check("y", Answer::AllowOnce);
        check(" YES ", Answer::AllowOnce);
        for no in ["", "n", "yy", "ja", "allow", "y y"] {
            check(no, Answer::Deny);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_in_time_is_no() {
        let mut terminal = Terminal::new();
        let asked = terminal.ask();
        assert_eq!(asked.await.unwrap(), Answer::TimedOut);
        terminal.until("no answer in time").await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_typed_before_the_question_is_no_answer() {
        let mut terminal = Terminal::new();
        terminal.typed("y").await;
        let asked = terminal.ask();
        terminal.until("[y/N]").await;
        terminal.typed("y").await;
        terminal.until("before the question").await;
        assert_eq!(asked.await.unwrap(), Answer::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fourth_question_finds_nobody() {
        let mut terminal = Terminal::new();
        let waiting = [terminal.ask(), terminal.ask(), terminal.ask()];
        terminal.until("[y/N]").await;
        assert_eq!(terminal.ask().await.unwrap(), Answer::NobodyThere);
        for asked in waiting {
            assert_eq!(asked.await.unwrap(), Answer::TimedOut);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_withdrawn_question_leaves_the_desk_to_the_next() {
        let mut terminal = Terminal::new();
        let first = terminal.ask();
        terminal.until("[y/N]").await;
        let second = terminal.ask();
        first.abort();
        terminal.until("no longer asked").await;
        terminal.until("[y/N]").await;
        tokio::time::advance(ARMING + ARMING).await;
        tokio::task::yield_now().await;
        terminal.typed("y").await;
        assert_eq!(second.await.unwrap(), Answer::AllowOnce);
    }
}
