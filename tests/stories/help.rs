//! A newcomer asks for help.

use crate::rig::Desk;

#[test]
fn every_help_can_be_shown_and_has_an_example() {
    let desk = Desk::empty();
    let mut waiting = vec![holder::cli::command()];
    let mut shown = 0;
    let mut paths = vec![String::new()];
    while let (Some(command), Some(path)) = (waiting.pop(), paths.pop()) {
        let help = desk.run(&format!("{path} --help")).expect_code(0);
        assert!(help.stdout.contains("Example"), "holder {path} --help has no example");
        shown += 1;
        for below in command.get_subcommands() {
            waiting.push(below.clone());
            paths.push(format!("{path} {}", below.get_name()));
        }
    }
    assert!(shown > 20, "only {shown} were found");
}

#[test]
fn help_can_be_asked_for_as_a_command_too() {
    let desk = Desk::empty();
    for (line, word) in [
        ("help", "Exit codes"),
        ("help device", "probe"),
        ("help device probe", "--profile"),
        ("device help probe", "--profile"),
    ] {
        let help = desk.run(line).expect_code(0).stdout;
        assert!(help.contains(word), "{line}: {help}");
    }
    desk.run("help pasteurise").expect_code(2);
}

#[test]
fn no_command_or_an_unknown_one_is_a_matter_of_usage() {
    let desk = Desk::empty();
    for line in ["", "pasteurise", "recipe", "recipe show", "sim", "device list --colour"] {
        let answer = desk.run(line).expect_code(2);
        assert_eq!(answer.stdout, "", "{line}");
        assert!(answer.stderr.contains("Usage"), "{line}: {}", answer.stderr);
    }
}

#[test]
fn a_reader_who_stops_reading_is_no_failure() {
    use std::io::Read;
    use std::process::Stdio;
    let desk = Desk::empty();
    let mut program = desk.program();
    program.args(["completions", "bash"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = program.spawn().expect("it starts");
    // Closed before the program can have written all of it: the script is larger than a pipe.
    drop(running.stdout.take());
    let mut said = String::new();
    running.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
    let status = running.wait().expect("it ends");
    assert!(status.success(), "{status}: {said}");
    assert_eq!(said, "");
}

#[test]
fn every_shell_gets_completions() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = desk.run(&format!("completions {shell}")).expect_code(0).stdout;
        assert!(script.contains("holder") && script.contains("recipe"), "{shell}");
    }
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let desk = Desk::empty();
    desk.run("man pages").expect_code(0);
    let page = desk.read("pages/holder-sim.1");
    assert!(page.contains("eurotherm") && page.contains(".SH"), "{page}");
    assert!(desk.read("pages/holder.1").contains("Exit codes"));
}

#[test]
fn the_examples_that_need_no_machine_work_as_they_are_shown() {
    let desk = Desk::training();
    // What a shell would do with `>`.
    let redirected = |line: &str, to: &str| {
        let text = desk.run(line).expect_code(0).stdout;
        assert!(desk.path(to).parent().expect("a folder").is_dir(), "no folder for {to}");
        desk.write(to, &text);
    };
    redirected("device show eurotherm-3200 --toml", "profiles/ours.toml");
    desk.run("device check profiles/ours.toml").expect_code(0);
    redirected("recipe show holder-hmbana", "recipes/ours.toml");
    let text = desk.read("recipes/ours.toml");
    desk.write("recipes/ours.toml", &text.replace("\"holder-hmbana\"", "\"ours\""));
    desk.run("recipe check recipes/ours.toml").expect_code(0);
    desk.run("init bank --training").expect_code(0);
    for line in ["--dir bank batch list", "unit list", "batch list --json", "recipe list"] {
        desk.run(line).expect_code(0);
    }
}
