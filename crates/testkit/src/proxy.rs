//! A proxy on the loopback that records what passes, and can cut the line.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// A running proxy. It ends with the process; its connections end with their peers.
#[derive(Clone, Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    target: SocketAddr,
    sessions: Mutex<Vec<Arc<Mutex<Traffic>>>>,
    /// Bytes that may still come from the server; `u64::MAX` is no limit.
    left: AtomicU64,
    cut: Mutex<Option<Cut>>,
}

/// A place in what one client sends at which the line is cut.
#[derive(Clone, Debug)]
pub struct Cut {
    /// What it has to send first,
    pub after: &'static str,
    /// so many times (1 is the first),
    pub nth: usize,
    /// before it sends this.
    pub at: &'static str,
    /// Whether the server still gets that message: then only its answer is lost.
    pub delivered: bool,
}

impl Cut {
    fn reached(&self, sent: &[u8]) -> bool {
        let first = memchr::memmem::find_iter(sent, self.after).nth(self.nth.saturating_sub(1));
        first.is_some_and(|place| memchr::memmem::find(&sent[place..], self.at.as_bytes()).is_some())
    }
}

/// What passed over one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the client to the server.
    pub sent: Vec<u8>,
    /// From the server to the client.
    pub received: Vec<u8>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and passes everything on to `port` there.
    ///
    /// # Panics
    ///
    /// When no port is free.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let own = listener.local_addr().expect("its number").port();
        let state = Arc::new(State {
            target: SocketAddr::from(([127, 0, 0, 1], port)),
            sessions: Mutex::default(),
            left: AtomicU64::new(u64::MAX),
            cut: Mutex::default(),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if serving.left.load(Ordering::SeqCst) > 0 {
                    serving.serve(&client);
                }
            }
        });
        Self { port: own, state }
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Cuts the line once the server has sent so many more bytes: connections break as when
    /// a cable is pulled, new ones are closed at once. 0 cuts with the next byte.
    pub fn cut_after(&self, bytes: u64) {
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// Cuts the line where a client has sent what `cut` says, for all connections.
    ///
    /// # Panics
    ///
    /// When a thread of the proxy died.
    pub fn cut_at(&self, cut: Cut) {
        *self.state.cut.lock().expect("the cut") = Some(cut);
    }

    /// Whether the line is cut.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.state.left.load(Ordering::SeqCst) == 0
    }

    /// Mends the line for new connections.
    pub fn mend(&self) {
        self.state.left.store(u64::MAX, Ordering::SeqCst);
    }

    /// What passed until now, one entry per connection.
    #[must_use]
    pub fn traffic(&self) -> Vec<Traffic> {
        let sessions = self.state.sessions.lock().expect("recording");
        sessions.iter().map(|session| session.lock().expect("recording").clone()).collect()
    }
}

impl State {
    fn serve(self: &Arc<Self>, client: &TcpStream) {
        let Ok(server) = TcpStream::connect(self.target) else { return };
        let session = Arc::new(Mutex::new(Traffic::default()));
        self.sessions.lock().expect("recording").push(Arc::clone(&session));
        for (from, to, upward) in [(client, &server, true), (&server, client, false)] {
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
            let (state, session) = (Arc::clone(self), Arc::clone(&session));
            std::thread::spawn(move || state.pump(from, to, upward, &session));
        }
    }

    /// Cuts where the place is reached: whether the message is still delivered.
    fn cuts(&self, sent: &[u8]) -> Option<bool> {
        let mut armed = self.cut.lock().expect("the cut");
        let cut = armed.take_if(|cut| cut.reached(sent))?;
        self.left.store(0, Ordering::SeqCst);
        Some(cut.delivered)
    }

    fn pump(&self, mut from: TcpStream, mut to: TcpStream, upward: bool, session: &Mutex<Traffic>) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let mut count = match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => count,
            };
            let left = self.left.load(Ordering::SeqCst);
            if left != u64::MAX && !upward {
                count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
                self.left.store(left - count as u64, Ordering::SeqCst);
            }
            {
                let mut traffic = session.lock().expect("recording");
                let record = if upward { &mut traffic.sent } else { &mut traffic.received };
                record.extend_from_slice(&buffer[..count]);
                if upward && self.cuts(record) == Some(false) {
                    break;
                }
            }
            // where the message is delivered, the line ends with the server's answer
            if upward {
                if to.write_all(&buffer[..count]).is_err() {
                    break;
                }
                continue;
            }
            if to.write_all(&buffer[..count]).is_err() || self.left.load(Ordering::SeqCst) == 0 {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers every byte with two.
    fn doubler() -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut byte = [0];
                while client.read_exact(&mut byte).is_ok() {
                    if client.write_all(&[byte[0], byte[0]]).is_err() {
                        break;
                    }
                }
            }
        });
        port
    }

    #[test]
    fn it_cuts_where_a_client_says_something_with_or_without_delivering_it() {
        for delivered in [true, false] {
            let (served, port) = listener();
            let proxy = Proxy::to(port);
            proxy.cut_at(Cut { after: "ROWS", nth: 2, at: "COMMIT", delivered });
            let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
            let mut answer = [0];
            for message in ["COMMIT", "ROWS", "COMMIT", "ROWS"] {
                client.write_all(message.as_bytes()).unwrap();
                client.read_exact(&mut answer).unwrap();
            }
            assert!(!proxy.is_cut());
            client.write_all(b"COMMIT").unwrap();
            assert!(!matches!(client.read(&mut answer), Ok(1..)), "no answer comes back");
            assert!(proxy.is_cut());
            let all = ["COMMIT", "ROWS", "COMMIT", "ROWS", "COMMIT"];
            let expected = if delivered { &all[..] } else { &all[..4] };
            assert_eq!(served.iter().take(expected.len()).collect::<Vec<_>>(), expected);
        }
    }

    /// A server that passes on what each message was and answers with one byte.
    fn listener() -> (std::sync::mpsc::Receiver<String>, u16) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut buffer = [0; 64];
                while let Ok(count @ 1..) = client.read(&mut buffer) {
                    send.send(String::from_utf8_lossy(&buffer[..count]).into_owned()).unwrap();
                    let _ = client.write_all(b"!");
                }
            }
        });
        (receive, port)
    }

    #[test]
    fn it_passes_records_and_cuts() {
        let proxy = Proxy::to(doubler());
        let mut client = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        client.write_all(b"abc").unwrap();
        let mut answer = [0; 6];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"aabbcc");
        assert_eq!(proxy.traffic(), [Traffic { sent: b"abc".to_vec(), received: b"aabbcc".to_vec() }]);

        proxy.cut_after(3);
        client.write_all(b"de").unwrap();
        let mut rest = Vec::new();
        let _ = client.read_to_end(&mut rest);
        assert_eq!(rest, b"dde");
        let mut refused = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        assert!(!matches!(refused.read(&mut answer), Ok(1..)));

        proxy.mend();
        let mut again = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        again.write_all(b"f").unwrap();
        again.read_exact(&mut answer[..2]).unwrap();
        assert_eq!(&answer[..2], b"ff");
    }
}
