use std::io::{Read as _, Write as _};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

fn home() -> (tempfile::TempDir, Folders) {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::at(home.path());
    (home, folders)
}

#[tokio::test]
async fn two_processes_of_ours_talk() {
    let (_home, folders) = home();
    let lock = CoreLock::acquire(&folders).unwrap();
    let listener = bind(&lock, Name::Bridge).unwrap();
    let (near, far) = tokio::join!(connect(&folders, Name::Bridge), listener.accept());
    let (mut near, mut far) = (near.unwrap(), far.unwrap());
    let mut heard = [0; 4];
    near.write_all(b"ping").await.unwrap();
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"ping");
    far.write_all(b"pong").await.unwrap();
    near.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"pong");
    near.shutdown().await.unwrap();
    drop(near);
    assert!(!matches!(far.read(&mut heard).await, Ok(1..)), "more than was said");
}

#[tokio::test]
async fn two_threads_use_the_blocking_halves_at_once() {
    let (_home, folders) = home();
    let listener = bind(&CoreLock::acquire(&folders).unwrap(), Name::Control).unwrap();
    let asker = std::thread::spawn(move || {
        let (mut reader, mut writer) = connect_blocking(&folders, Name::Control).unwrap().split();
        let (reads, writes) = std::sync::mpsc::channel();
        let heard = std::thread::spawn(move || {
            reads.send(()).unwrap();
            let mut heard = [0; 3];
            reader.read_exact(&mut heard).unwrap();
            heard
        });
        writes.recv().unwrap();
        writer.write_all(b"ask").unwrap();
        heard.join().unwrap()
    });
    let mut far = listener.accept().await.unwrap();
    let mut asked = [0; 3];
    far.read_exact(&mut asked).await.unwrap();
    far.write_all(&asked).await.unwrap();
    assert_eq!(&tokio::task::spawn_blocking(|| asker.join().unwrap()).await.unwrap(), b"ask");
}

#[tokio::test]
async fn no_core_means_not_running() {
    let (_home, folders) = home();
    assert!(matches!(connect(&folders, Name::Bridge).await, Err(ConnectError::NotRunning)));
    assert!(matches!(connect_blocking(&folders, Name::Bridge), Err(ConnectError::NotRunning)));
    drop(bind(&CoreLock::acquire(&folders).unwrap(), Name::Bridge).unwrap());
    assert!(matches!(connect(&folders, Name::Bridge).await, Err(ConnectError::NotRunning)));
}

#[tokio::test]
async fn the_lock_stays_taken_while_a_socket_is_open() {
    let (_home, folders) = home();
    let listener = bind(&CoreLock::acquire(&folders).unwrap(), Name::Bridge).unwrap();
    assert!(CoreLock::acquire(&folders).is_err());
    drop(listener);
    CoreLock::acquire(&folders).unwrap();
}

#[cfg(unix)]
mod unix {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::Path;

    use rustix::process::Uid;

    use super::*;

    #[tokio::test]
    async fn the_blocking_halves_end_one_after_the_other() {
        let (_home, folders) = home();
        let listener = bind(&CoreLock::acquire(&folders).unwrap(), Name::Control).unwrap();
        let asker = std::thread::spawn(move || {
            let (mut reader, mut writer) = connect_blocking(&folders, Name::Control).unwrap().split();
            writer.write_all(b"ask").unwrap();
            writer.finish().unwrap();
            let mut answer = String::new();
            reader.read_to_string(&mut answer).unwrap();
            answer
        });
        let mut far = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        far.read_to_end(&mut asked).await.unwrap();
        far.write_all(&asked.repeat(2)).await.unwrap();
        drop(far);
        assert_eq!(asker.join().unwrap(), "askask");
    }

    #[tokio::test]
    async fn a_dead_cores_socket_is_replaced_and_closed_to_others() {
        let (_home, folders) = home();
        let lock = CoreLock::acquire(&folders).unwrap();
        let path = folders.runtime().join("bridge.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(matches!(connect(&folders, Name::Bridge).await, Err(ConnectError::NotRunning)));
        let _listener = bind(&lock, Name::Bridge).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        connect(&folders, Name::Bridge).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let (_home, folders) = home();
        let lock = CoreLock::acquire(&folders).unwrap();
        let path = folders.runtime().join("bridge.sock");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(&lock, Name::Bridge), Err(BindError::InTheWay { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_long_home_is_refused_with_its_length() {
        let (home, _) = home();
        let folders = Folders::at(&home.path().join("x".repeat(100)));
        let lock = CoreLock::acquire(&folders).unwrap();
        let refusal = bind(&lock, Name::Bridge).err().unwrap().to_string();
        assert!(refusal.contains("too long for a socket"), "{refusal}");
        assert!(connect(&folders, Name::Bridge).await.err().unwrap().to_string().contains("too long"));
    }

    #[tokio::test]
    async fn an_open_folder_is_not_connected_through() {
        let (_home, folders) = home();
        let _listener = bind(&CoreLock::acquire(&folders).unwrap(), Name::Bridge).unwrap();
        fs::set_permissions(folders.runtime(), Permissions::from_mode(0o755)).unwrap();
        for refusal in [connect(&folders, Name::Bridge).await.err(), connect_blocking(&folders, Name::Bridge).err()] {
            assert!(matches!(refusal, Some(ConnectError::Folders(FoldersError::Open { .. }))), "{refusal:?}");
        }
    }

    /// Does something as another user; without the right to become one, tells so by `None`.
    fn as_another_user<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let other = Uid::from_raw(65_533);
        let task = std::thread::spawn(move || {
            // Credentials belong to a thread on Linux: the others stay who they are.
            rustix::thread::set_thread_res_uid(other, other, other).ok().map(|()| act())
        });
        task.join().unwrap()
    }

    fn open_up(folders: &Folders, home: &Path) {
        for (path, mode) in [(home, 0o755), (&folders.runtime(), 0o777)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    }

    #[tokio::test]
    async fn another_user_is_kept_out_twice() {
        let (home, folders) = home();
        let listener = bind(&CoreLock::acquire(&folders).unwrap(), Name::Bridge).unwrap();
        let path = folders.runtime().join("bridge.sock");
        let knock = {
            let path = path.clone();
            move || UnixStream::connect(path).map(drop).map_err(|cause| cause.kind())
        };
        let Some(first) = as_another_user(knock) else {
            assert!(!rustix::process::geteuid().is_root(), "root can become another user");
            return;
        };
        assert_eq!(first, Err(io::ErrorKind::PermissionDenied));

        open_up(&folders, home.path());
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let foreign = as_another_user(move || UnixStream::connect(path).unwrap()).unwrap();
        fs::set_permissions(folders.runtime(), Permissions::from_mode(0o700)).unwrap();
        let (near, far) = tokio::join!(connect(&folders, Name::Bridge), listener.accept());
        near.unwrap().write_all(b"ours").await.unwrap();
        let mut heard = String::new();
        far.unwrap().read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "ours", "the other user's connection came through");
        assert_eq!((&foreign).read(&mut [0; 1]).unwrap(), 0, "the other user was not hung up on");
    }

    #[tokio::test]
    async fn another_users_server_is_sent_nothing() {
        let (home, folders) = home();
        folders.prepare().unwrap();
        open_up(&folders, home.path());
        let path = folders.runtime().join("bridge.sock");
        let Some(_impostor) = as_another_user(move || UnixListener::bind(path).unwrap()) else {
            assert!(!rustix::process::geteuid().is_root(), "root can become another user");
            return;
        };
        fs::set_permissions(folders.runtime(), Permissions::from_mode(0o700)).unwrap();
        for refusal in [connect(&folders, Name::Bridge).await.err(), connect_blocking(&folders, Name::Bridge).err()] {
            assert!(matches!(refusal, Some(ConnectError::Foreign { .. })), "{refusal:?}");
        }
    }
}
