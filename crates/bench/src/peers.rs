//! The ways that a call can take: direct, nginx, mcp-remote, and Keybearer's two doors.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{
    http_load::Door,
    peer::{Running, beside, told},
};

/// Everything that runs during a benchmark.
pub struct Ways {
    /// Over HTTP: direct, nginx, Keybearer.
    pub http: Vec<HttpWay>,
    /// Over stdio: direct, mcp-remote, Keybearer.
    pub stdio: Vec<StdioWay>,
    /// Where the server behind all of them is, and what it wants.
    pub upstream: (String, String),
    processes: Processes,
    /// What they keep on the disk.
    pub folder: tempfile::TempDir,
}

struct Processes {
    _upstream: Running,
    nginx: Running,
    core: Core,
}

/// A way over HTTP.
pub struct HttpWay {
    /// Its name in the table.
    pub name: &'static str,
    /// Where it begins.
    pub door: Door,
}

/// A way over stdio.
pub struct StdioWay {
    /// Its name in the table.
    pub name: &'static str,
    /// What a client starts.
    pub command: Vec<String>,
    /// With what in its environment.
    pub environment: Vec<(String, String)>,
}

impl Ways {
    /// Starts all of them. `mcp_remote` is the script of the npm package.
    pub fn start(mcp_remote: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let token = random();
        let upstream = Running::until_ready(beside("upstream")?.arg("http").env("TOKEN", &token))?;
        let url = upstream.text("/url")?;
        let bearer = format!("Bearer {token}");
        let (nginx, through_nginx) = nginx(folder.path(), &url, &bearer)?;
        let core = Core::start(folder.path().join("keybearer"), &url, &bearer, Crowd::default())?;
        let home = core.home.display().to_string();
        let authorized = ("authorization".to_owned(), bearer.clone());
        let http = vec![
            HttpWay { name: "direct", door: Door { url: url.clone(), header: authorized.clone() } },
            HttpWay { name: "nginx", door: Door { url: through_nginx, header: authorized } },
            HttpWay { name: "keybearer", door: core.door.clone() },
        ];
        let program = |name: &str| Ok::<_, anyhow::Error>(beside(name)?.get_program().to_string_lossy().into_owned());
        let remote =
            [&mcp_remote.to_string_lossy(), url.as_str(), "--allow-http", "--transport", "http-only", "--header"];
        let mut remote: Vec<String> = remote.map(str::to_owned).to_vec();
        remote.insert(0, "node".to_owned());
        remote.push(format!("Authorization: {bearer}"));
        let stdio = vec![
            StdioWay { name: "direct", command: vec![program("upstream")?, "stdio".to_owned()], environment: vec![] },
            StdioWay {
                name: "mcp-remote",
                command: remote,
                environment: vec![("MCP_REMOTE_CONFIG_DIR".to_owned(), folder.path().display().to_string())],
            },
            StdioWay {
                name: "keybearer",
                command: vec![program("keybearer")?, "stdio".to_owned(), "up".to_owned()],
                environment: vec![("KEYBEARER_HOME".to_owned(), home)],
            },
        ];
        Ok(Self {
            http,
            stdio,
            upstream: (url, bearer),
            processes: Processes { _upstream: upstream, nginx, core },
            folder,
        })
    }

    /// CPU time that the way itself has used so far.
    pub fn cpu(&self, name: &str) -> Duration {
        match name {
            "nginx" => self.processes.nginx.cpu(),
            "keybearer" => self.processes.core.running.cpu(),
            _ => Duration::ZERO,
        }
    }

    /// Keybearer's core.
    pub fn core(&self) -> &Core {
        &self.processes.core
    }

    /// The process behind a way over stdio, whose time counts too.
    pub fn behind(&self, name: &str) -> Option<u32> {
        (name == "keybearer").then(|| self.processes.core.running.id())
    }
}

/// nginx as a fair anchor: unbuffered, kept-alive connections to the upstream.
fn nginx(folder: &Path, upstream: &str, bearer: &str) -> Result<(Running, String)> {
    let folder = folder.join("nginx");
    fs::create_dir(&folder).context("make a folder for nginx")?;
    let here = folder.display();
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let address = upstream.trim_start_matches("http://").trim_end_matches("/mcp");
    let configuration = format!(
        "daemon off; worker_processes auto; pid {here}/pid; error_log {here}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 64m; keepalive_requests 100000000;
  client_body_temp_path {here}/body; proxy_temp_path {here}/proxy; fastcgi_temp_path {here}/fastcgi;
  uwsgi_temp_path {here}/uwsgi; scgi_temp_path {here}/scgi;
  upstream up {{ server {address}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location = /mcp {{
      proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection \"\";
      proxy_set_header Authorization \"{bearer}\"; proxy_buffering off; proxy_read_timeout 1h;
      proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;
    }}
  }}
}}
"
    );
    fs::write(folder.join("nginx.conf"), configuration).context("write nginx's configuration")?;
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("nginx");
    command.env("PATH", path).arg("-p").arg(&folder).arg("-e").arg(folder.join("error.log")).arg("-c");
    let running = Running::silent(command.arg(folder.join("nginx.conf")))?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(Instant::now() < deadline, "nginx does not listen");
    }
    Ok((running, format!("http://127.0.0.1:{port}/mcp")))
}

/// Keybearer's core in a home of its own.
pub struct Core {
    /// The core.
    pub running: Running,
    /// The way in for a client with a key, to the server `up`.
    pub door: Door,
    /// Where it keeps its own.
    pub home: PathBuf,
}

/// How many servers and clients a core has besides the ones that are used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crowd {
    /// Servers that nobody calls.
    pub servers: usize,
    /// Clients that call nothing.
    pub clients: usize,
}

impl Core {
    /// Starts it: one server whose header is kept in memory, and one client with a key, besides the crowd.
    pub fn start(home: PathBuf, upstream: &str, bearer: &str, crowd: Crowd) -> Result<Self> {
        fs::create_dir(&home).context("make a home")?;
        let limits = "open_calls = 10000\ncalls_per_second = 1000000\n";
        let mut configuration = format!("keystore = \"memory\"\n{limits}[[rules]]\neffect = \"allow\"\n");
        for number in 0..crowd.servers {
            configuration += &format!("[servers.s{number}]\nurl = \"{upstream}\"\nauth = \"none\"\n");
        }
        fs::write(home.join("config.toml"), configuration).context("write config.toml")?;
        let core = Running::until_ready(&mut ours(&home, &["serve", "--json"])?)?;
        let add = ["servers", "add", "up", upstream, "--header", "Authorization", "--secret-stdin"];
        let mut added = ours(&home, &add)?.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().context("start it")?;
        added.stdin.take().context("no standard input")?.write_all(bearer.as_bytes())?;
        if !added.wait()?.success() {
            bail!("`keybearer servers add` failed");
        }
        for number in 0..crowd.clients {
            told(&mut ours(&home, &["clients", "add", &format!("c{number}"), "--json"])?)?;
        }
        let client = told(&mut ours(&home, &["clients", "add", "bench", "--json"])?)?;
        let key = client["key"].as_str().with_context(|| format!("no key in `{client}`"))?;
        let urls = client["urls"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let url = urls.filter(|url| url.ends_with("/up")).find(|url| url.contains("127.0.0.1"));
        let door = Door {
            url: url.with_context(|| format!("the door has no URL in `{client}`"))?.to_owned(),
            header: ("authorization".to_owned(), format!("Bearer {key}")),
        };
        Ok(Self { running: core, door, home })
    }
}

/// `keybearer` with these arguments at this home.
pub fn ours(home: &Path, arguments: &[&str]) -> Result<Command> {
    let mut command = beside("keybearer")?;
    command.args(arguments).env("KEYBEARER_HOME", home).env("KEYBEARER_LOG", "error");
    Ok(command)
}

/// A token that only this run knows.
fn random() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness of the system there is nothing to protect on this machine anyway.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().fold("cAnArY".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
