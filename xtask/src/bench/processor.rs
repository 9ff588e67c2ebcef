//! Seconds of a processor, which tell of work where other processes take turns on the machine.

use std::path::Path;

use ecluse_testkit::server::Postgres;

use crate::Outcome;

/// Clock ticks of a second, as Linux tells them to every process (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Of every child of this process that was waited for, and theirs: user and system.
pub(super) fn of_children() -> Outcome<f64> {
    spent(Path::new("/proc/self/stat"), [15, 16])
}

/// Of a server: its first process, and those of its children that ended. A client's own process at the server has
/// ended soon after the client.
pub(super) fn of_server(server: &Postgres) -> Outcome<f64> {
    let text =
        std::fs::read_to_string(server.data_folder().join("postmaster.pid")).map_err(|e| e.to_string())?;
    let first = text.lines().next().ok_or("no process id")?.to_owned();
    // what ended just now is waited for in a moment
    std::thread::sleep(std::time::Duration::from_millis(200));
    let stat = format!("/proc/{first}/stat");
    Ok(spent(Path::new(&stat), [13, 14])? + spent(Path::new(&stat), [15, 16])?)
}

/// The sum of two fields of a process's line (proc_pid_stat(5), counted from 0), in seconds.
fn spent(stat: &Path, fields: [usize; 2]) -> Outcome<f64> {
    let line = std::fs::read_to_string(stat).map_err(|e| e.to_string())?;
    of_line(&line, fields).ok_or_else(|| format!("{} is not understood", stat.display()))
}

fn of_line(line: &str, fields: [usize; 2]) -> Option<f64> {
    // the program's name, the second field, may hold anything: what is counted stands behind its bracket
    let behind: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |at: usize| behind.get(at.checked_sub(2)?)?.parse::<f64>().ok();
    let [one, two] = fields;
    Some((field(one)? + field(two)?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::of_line;

    #[test]
    fn the_fields_are_counted_behind_the_programs_name() {
        let line = "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 300 100 20 0";
        assert_eq!(of_line(line, [13, 14]), Some(2.0));
        assert_eq!(of_line(line, [15, 16]), Some(4.0));
        assert_eq!(of_line("42", [13, 14]), None);
    }
}
