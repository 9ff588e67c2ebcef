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
