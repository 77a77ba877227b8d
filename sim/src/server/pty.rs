//! A pty whose slave stays open here, so that clients may come and go, and its link.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tokio_serial::{SerialPort as _, SerialStream};

use super::SimError;

/// A pty, raw, with its link; the link goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Pty {
    master: SerialStream,
    /// Held open, and without a lock: without it, a client that goes would hang up the master.
    slave: File,
    name: PathBuf,
    link: Option<PathBuf>,
}

impl Pty {
    /// Makes a pty and links it at `link`.
    pub(crate) fn open(bus: &str, link: Option<&Path>) -> Result<Self, SimError> {
        let failed = |cause: io::Error| SimError::Pty {
            bus: bus.to_owned(),
            link: link.map_or("a new pty".to_owned(), |link| link.display().to_string()),
            cause,
        };
        let (master, slave) = SerialStream::pair().map_err(|error| failed(error.into()))?;
        let name = slave.name().map(PathBuf::from).unwrap_or_default();
        let mut options = File::options();
        // The pty must not become the terminal of this program.
        options
            .read(true)
            .write(true)
            .custom_flags(rustix::fs::OFlags::NOCTTY.bits().cast_signed());
        let slave = options.open(&name).map_err(failed)?;
        let mut pty = Self { master, slave, name, link: None };
        if let Some(link) = link {
            make_way(bus, link)?;
            std::os::unix::fs::symlink(&pty.name, link).map_err(failed)?;
            pty.link = Some(link.to_owned());
        }
        Ok(pty)
    }

    /// Takes away the exclusive mode that a client set and, since the slave stays open here,
    /// leaves behind when it ends: nobody but root could open the pty any more.
    pub(crate) fn unlock(slave: &File) {
        if let Err(error) = rustix::termios::ioctl_tiocnxcl(slave) {
            tracing::debug!(%error, "a pty could not be unlocked");
        }
    }

    /// The end to carry bytes on, and the one to unlock.
    pub(crate) fn ends(&mut self) -> (&mut SerialStream, &File) {
        (&mut self.master, &self.slave)
    }

    /// What a client opens.
    pub(crate) fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.name)
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let Some(link) = &self.link else { return };
        if std::fs::read_link(link).is_ok_and(|target| target == self.name) {
            // If it cannot be removed, it dangles, and the next simulator replaces it.
            let _removed = std::fs::remove_file(link);
        }
    }
}

/// Removes a link that a simulator left behind; anything else stays, and is an error.
fn make_way(bus: &str, link: &Path) -> Result<(), SimError> {
    let (bus, shown) = (bus.to_owned(), link.display().to_string());
    match std::fs::read_link(link) {
        Ok(target) if target.starts_with("/dev/pts") || !link.exists() => {
            let removed = std::fs::remove_file(link);
            removed.map_err(|cause| SimError::Pty { bus, link: shown, cause })
        }
        Ok(_) => Err(SimError::LinkTaken { bus, link: shown }),
        Err(_) if std::fs::symlink_metadata(link).is_ok() => {
            Err(SimError::LinkTaken { bus, link: shown })
        }
        Err(_) => Ok(()),
    }
}

/// Keeps a second simulator from taking over a link that one serves. It goes with the process,
/// however that ends.
#[derive(Debug)]
pub(crate) struct LinkLock {
    #[cfg(target_os = "linux")]
    _held: std::os::unix::net::UnixListener,
}

impl LinkLock {
    /// Holds `link`.
    #[cfg(target_os = "linux")]
    pub(crate) fn hold(bus: &str, link: &Path) -> Result<Self, SimError> {
        use std::os::linux::net::SocketAddrExt as _;
        use std::os::unix::net::{SocketAddr, UnixListener};

        let shown = link.display().to_string();
        let failed = |cause: io::Error| {
            let (bus, link) = (bus.to_owned(), shown.clone());
            if cause.kind() == io::ErrorKind::AddrInUse {
                SimError::LinkInUse { bus, link }
            } else {
                SimError::Pty { bus, link, cause }
            }
        };
        let path = std::path::absolute(link).map_err(failed)?;
        let name = format!("holder-sim {}", path.display());
        let address = SocketAddr::from_abstract_name(name).map_err(failed)?;
        Ok(Self { _held: UnixListener::bind_addr(&address).map_err(failed)? })
    }

    /// Only Linux has sockets that live in no file: elsewhere nobody is kept away.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn hold(_bus: &str, _link: &Path) -> Result<Self, SimError> {
        Ok(Self {})
    }
}
