//! What a person types, one key at a time: from a key to a question, from a question to an
//! action. Everything that cannot be undone takes two steps, for gloves and for scanners that
//! type by themselves.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::batch::alarm::Alarm;
use crate::batch::event::Action;
use crate::batch::phase::PhaseName;

/// A key that means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A printable character.
    Letter(char),
    /// The end of an answer.
    Enter,
    /// Takes back the last character.
    Back,
    /// Takes back the question.
    Escape,
    /// Ctrl-C or Ctrl-\: raw mode takes the signal away, so it is given back here.
    Interrupt,
    /// Ctrl-L: something else wrote on the terminal.
    Repaint,
    /// Anything else.
    Other,
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        if event.kind == KeyEventKind::Release {
            return Self::Other;
        }
        let held = |key| event.modifiers.contains(key);
        match (held(KeyModifiers::CONTROL), held(KeyModifiers::ALT)) {
            (false, false) => {}
            (true, false) => return Self::of_control(event.code),
            (false, true) => return Self::Other,
            // AltGr, by which some keyboards make a letter, comes as both on Windows.
            (true, true) => {
                let plain = event.code.as_char().is_none_or(|c| c.is_ascii_alphanumeric());
                if plain {
                    return Self::Other;
                }
            }
        }
        if let KeyCode::Char(letter) = event.code {
            return if letter.is_control() { Self::Other } else { Self::Letter(letter) };
        }
        let named = [
            (KeyCode::Enter, Self::Enter),
            (KeyCode::Backspace, Self::Back),
            (KeyCode::Esc, Self::Escape),
        ];
        named.into_iter().find(|(code, _)| *code == event.code).map_or(Self::Other, |(_, key)| key)
    }
}

impl Key {
    fn of_control(code: KeyCode) -> Self {
        // Terminals send Ctrl-\ as the byte 0x1c, which is read as Ctrl-4.
        if ['c', '\\', '4'].into_iter().any(|letter| code.is_char(letter)) {
            Self::Interrupt
        } else if code.is_char('l') {
            Self::Repaint
        } else {
            Self::Other
        }
    }
}

/// What the person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    /// Nothing.
    Idle,
    /// How many bottles are in, or came out; the digits so far.
    Bottles(Way, String),
    /// Whether this number is right.
    BottlesSure(Way, u16),
    /// Whether the machine may heat again.
    HeatSure,
    /// Whether to stop the batch.
    StopSure,
    /// Why; the text so far.
    StopReason(String),
    /// Whether to leave while a batch runs.
    LeaveSure,
    /// Who acknowledges this alarm; the name so far.
    Acknowledge(Alarm, String),
}

/// Which way the bottles went that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Into the bath.
    In,
    /// Out of it.
    Out,
}

/// What a key leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// Nothing to do but to show the prompt, with a word for the person.
    Say(Option<&'static str>),
    /// Send this to the batch.
    Send(Action),
    /// End the screen.
    Leave,
    /// Draw everything anew.
    Repaint,
}

/// Reasons that one key gives, for a hand in a glove.
const REASONS: [&str; 3] =
    ["trouble with the machine", "trouble with a bottle or the milk", "started by mistake"];
const COUNT_THEM: &str = "Count the bottles and type their number.";
const DIGITS_MAX: usize = 5;
const REASON_CHARS_MAX: usize = 120;
const NAME_CHARS_MAX: usize = 40;

impl Way {
    /// The phase in which it is counted.
    const fn phase(self) -> PhaseName {
        match self {
            Self::In => PhaseName::Load,
            Self::Out => PhaseName::Unload,
        }
    }

    const fn confirmed(self, bottles: u16) -> Action {
        match self {
            Self::In => Action::ConfirmLoad { bottles },
            Self::Out => Action::ConfirmUnload { bottles },
        }
    }
}

impl Prompt {
    /// The question and what the keys do, if something is asked.
    pub(super) fn text(&self) -> Option<(String, &'static str)> {
        let yes_or_no = "y = yes    any other key = no";
        let (question, keys) = match self {
            Self::Idle => return None,
            Self::Bottles(way, digits) => {
                let went = match way {
                    Way::In => "are in",
                    Way::Out => "came out",
                };
                (
                    format!("How many bottles {went}, besides the control bottle?  {digits}_"),
                    "digits, then Enter    Esc = back",
                )
            }
            Self::BottlesSure(way, bottles) => {
                let noun = if *bottles == 1 { "bottle is" } else { "bottles are" };
                let text = match way {
                    Way::In => "in, the control bottle last, and the lid is closed?",
                    Way::Out => {
                        "out, the control bottle not counted, and none is left in the bath?"
                    }
                };
                (format!("{bottles} {noun} {text}"), yes_or_no)
            }
            Self::HeatSure => (
                "You have looked: water in the bath, bottles in place, nobody's hands in it. Heat?"
                    .to_owned(),
                yes_or_no,
            ),
            Self::StopSure => (
                "Stop the batch? Heat goes off and stays off; it cannot be released.".to_owned(),
                yes_or_no,
            ),
            Self::StopReason(text) => (
                format!("Why? Type it, or 1 = machine, 2 = bottle or milk, 3 = mistake:  {text}_"),
                "Enter = stop now    Esc = back, the batch goes on",
            ),
            Self::Acknowledge(alarm, name) => (
                format!(
                    "Alarm {} ({}) seen and dealt with? Type your name:  {name}_",
                    alarm.number(),
                    alarm.title()
                ),
                "Enter = acknowledge    Esc = back",
            ),
            Self::LeaveSure => {
                ("A batch is running. Leaving stops it. Leave?".to_owned(), yes_or_no)
            }
        };
        Some((question, keys))
    }

    /// Whether what is typed goes into a text, into which a stray key would go, too.
    pub(super) const fn takes_text(&self) -> bool {
        match self {
            Self::StopReason(_) | Self::Acknowledge(..) => true,
            Self::Idle
            | Self::Bottles(..)
            | Self::BottlesSure(..)
            | Self::HeatSure
            | Self::StopSure
            | Self::LeaveSure => false,
        }
    }

    /// Drops a question that the phase has overtaken.
    pub(super) fn settle(&mut self, phase: PhaseName) {
        let still_fits = match self {
            Self::Idle => true,
            Self::Bottles(way, _) | Self::BottlesSure(way, _) => phase == way.phase(),
            Self::HeatSure
            | Self::StopSure
            | Self::StopReason(_)
            | Self::LeaveSure
            | Self::Acknowledge(..) => !phase.is_final(),
        };
        if !still_fits {
            *self = Self::Idle;
        }
    }

    /// Takes one key. `phase` is `None` before the first view; `alarm` is the one that waits to be
    /// acknowledged.
    pub(super) fn press(
        &mut self,
        key: Key,
        phase: Option<PhaseName>,
        alarm: Option<Alarm>,
    ) -> Intent {
        match key {
            Key::Interrupt => return Intent::Leave,
            Key::Repaint => return Intent::Repaint,
            Key::Other => return Intent::Say(None),
            Key::Letter(_) | Key::Enter | Key::Back | Key::Escape => {}
        }
        let asked = std::mem::replace(self, Self::Idle);
        let is_yes = matches!(key, Key::Letter('y' | 'Y'));
        match asked {
            Self::Idle => self.begin(key, phase, alarm),
            Self::Bottles(way, digits) => self.bottles(way, digits, key),
            Self::StopReason(text) => self.reason(text, key),
            Self::Acknowledge(alarm, name) => self.name(alarm, name, key),
            Self::StopSure if is_yes => self.ask(Self::StopReason(String::new())),
            Self::BottlesSure(way, bottles) if is_yes => Intent::Send(way.confirmed(bottles)),
            Self::HeatSure if is_yes => Intent::Send(Action::ConfirmHeat),
            Self::LeaveSure if is_yes => Intent::Leave,
            Self::BottlesSure(..) | Self::HeatSure | Self::StopSure | Self::LeaveSure => {
                Intent::Say(Some("Nothing was done."))
            }
        }
    }

    fn ask(&mut self, question: Self) -> Intent {
        *self = question;
        Intent::Say(None)
    }

    fn begin(&mut self, key: Key, phase: Option<PhaseName>, alarm: Option<Alarm>) -> Intent {
        let Key::Letter(letter) = key else { return Intent::Say(None) };
        let is_over = phase.is_some_and(PhaseName::is_final);
        match letter.to_ascii_lowercase() {
            'b' if phase == Some(PhaseName::Load) => self.count(Way::In),
            'b' => Intent::Say(Some("Not waiting for bottles now.")),
            'u' if phase == Some(PhaseName::Unload) => self.count(Way::Out),
            'u' => Intent::Say(Some("Not waiting for unloading now.")),
            'a' if is_over => Intent::Say(Some("The batch is over already.")),
            'a' => match alarm {
                Some(alarm) => self.ask(Self::Acknowledge(alarm, String::new())),
                None => Intent::Say(Some("No alarm waits to be acknowledged.")),
            },
            // The engine knows best whether anything waits for it.
            'h' if !is_over => self.ask(Self::HeatSure),
            's' if is_over => Intent::Say(Some("The batch is over already.")),
            's' => self.ask(Self::StopSure),
            'q' if is_over => Intent::Leave,
            'q' => self.ask(Self::LeaveSure),
            _ => Intent::Say(None),
        }
    }

    fn count(&mut self, way: Way) -> Intent {
        self.ask(Self::Bottles(way, String::new()))
    }

    fn bottles(&mut self, way: Way, mut digits: String, key: Key) -> Intent {
        match key {
            Key::Escape => return Intent::Say(Some("Nothing was done.")),
            Key::Letter(digit) if digit.is_ascii_digit() => {
                if digits.len() == DIGITS_MAX {
                    return Intent::Say(Some(match way {
                        Way::In => "That is no number of bottles (a scanner?): press b again.",
                        Way::Out => "That is no number of bottles (a scanner?): press u again.",
                    }));
                }
                digits.push(digit);
            }
            Key::Back => {
                digits.pop();
            }
            Key::Enter => match digits.parse() {
                Ok(0) | Err(_) => {
                    *self = Self::Bottles(way, String::new());
                    return Intent::Say(Some(COUNT_THEM));
                }
                Ok(bottles) => return self.ask(Self::BottlesSure(way, bottles)),
            },
            Key::Letter(_) | Key::Interrupt | Key::Repaint | Key::Other => {}
        }
        self.ask(Self::Bottles(way, digits))
    }

    fn name(&mut self, alarm: Alarm, mut name: String, key: Key) -> Intent {
        match key {
            Key::Escape => return Intent::Say(Some("Not acknowledged.")),
            Key::Enter if !name.trim().is_empty() => {
                return Intent::Send(Action::Acknowledge { alarm, by: name.trim().to_owned() });
            }
            Key::Enter => {
                *self = Self::Acknowledge(alarm, String::new());
                return Intent::Say(Some(
                    "Type your name, or scan your badge: it goes on the record.",
                ));
            }
            Key::Back => {
                name.pop();
            }
            Key::Letter(letter) if name.chars().count() < NAME_CHARS_MAX => name.push(letter),
            Key::Letter(_) | Key::Interrupt | Key::Repaint | Key::Other => {}
        }
        self.ask(Self::Acknowledge(alarm, name))
    }

    fn reason(&mut self, mut text: String, key: Key) -> Intent {
        match key {
            Key::Escape => return Intent::Say(Some("Not stopped: the batch goes on.")),
            Key::Enter if !text.trim().is_empty() => {
                return Intent::Send(Action::Stop { reason: text.trim().to_owned() });
            }
            Key::Back => {
                text.pop();
            }
            Key::Letter(number @ '1'..='3') if text.is_empty() => {
                let index = (u32::from(number) - u32::from('1')) as usize;
                text.push_str(REASONS.get(index).copied().unwrap_or_default());
            }
            Key::Letter(letter) if text.chars().count() < REASON_CHARS_MAX => text.push(letter),
            Key::Letter(_) | Key::Enter | Key::Interrupt | Key::Repaint | Key::Other => {}
        }
        self.ask(Self::StopReason(text))
    }
}

#[cfg(test)]
mod tests;
