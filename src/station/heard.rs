//! Who ends the program while something is finished that must not be left half done: they see at once
//! that they were heard, what is waited for and how long that may take. The second time ends the
//! waiting: the disk has what was acknowledged, and the next start does what is left.

use std::time::Duration;

use super::conduct::tell;

/// Waits for `work`, which is over `within` that time (real time), and which a person knows as `what`.
///
/// # Errors
/// The second signal, by its name.
pub(super) async fn unless_told_twice<R>(
    say: fn(&str),
    (what, within): (&str, Duration),
    mut next_signal: impl AsyncFnMut() -> &'static str,
    work: impl Future<Output = R>,
) -> Result<R, &'static str> {
    let mut work = std::pin::pin!(work);
    let mut is_told = false;
    loop {
        let by = tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            by = next_signal() => by,
        };
        if is_told {
            return Err(by);
        }
        is_told = true;
        let said = format!(
            "{by} was heard: {what}, for {} s at most. Once more ends the waiting: what is in the \
             record stays there, and the next start of holder does what is left",
            within.as_secs()
        );
        tell(say, said).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::mpsc;

    use super::*;

    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn say(text: &str) {
        SAID.lock().expect("said").push(text.to_owned());
    }

    #[tokio::test]
    async fn the_first_signal_is_answered_at_once_and_the_second_ends_the_waiting() {
        let what = ("batch B-1: its record is being closed", Duration::from_secs(60));
        let (send, mut heard) = mpsc::channel(4);
        for signal in ["Ctrl-C", "SIGTERM"] {
            send.send(signal).await.expect("heard");
        }
        let next = async || match heard.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        };
        let hangs = std::future::pending::<()>();
        assert_eq!(unless_told_twice(say, what, next, hangs).await, Err("SIGTERM"));
        let said: Vec<String> = SAID.lock().expect("said").drain(..).collect();
        let [said] = said.as_slice() else { panic!("{said:?}") };
        for word in ["Ctrl-C was heard", "its record is being closed", "60 s", "Once more"] {
            assert!(said.contains(word), "no {word} in {said}");
        }

        // One of them alone ends nothing, and what is done at once costs no word.
        let (send, mut heard) = mpsc::channel(4);
        send.send("Ctrl-C").await.expect("heard");
        let (told, is_told) = tokio::sync::oneshot::channel::<()>();
        let mut told = Some(told);
        let next = async || match heard.recv().await {
            Some(signal) => {
                drop(told.take());
                signal
            }
            None => std::future::pending().await,
        };
        let work = async { is_told.await.is_err() };
        assert_eq!(unless_told_twice(say, what, next, work).await, Ok(true));
        let next = async || -> &'static str { panic!("not asked") };
        assert_eq!(unless_told_twice(say, what, next, async { 7 }).await, Ok(7));
        assert_eq!(SAID.lock().expect("said").len(), 1);
    }
}
