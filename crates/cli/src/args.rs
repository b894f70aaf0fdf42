//! The command line as it is written. What it means is in `commands`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use keybearer_model::name::{ClientName, ServerName};

use crate::exit::Exit;

/// Carries your company sign-in, so that no AI client ever has to.
#[derive(Debug, Parser)]
#[command(name = "keybearer", version, after_help = NOTES, after_long_help = long_notes(), disable_help_subcommand = true)]
pub(crate) struct Args {
    /// Print JSON instead of text: one value on standard output, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

const NOTES: &str = "\
The core starts by itself when a command or a client needs it.
KEYBEARER_HOME moves settings, state and sockets into one folder.
KEYBEARER_LOG filters the core's log, for example keybearer_core=debug.";

/// What `--help` and the man page say besides: the exit codes.
fn long_notes() -> String {
    let codes = Exit::ALL.map(|exit| format!("{:>4}  {}\n", exit.number(), exit.meaning()));
    format!("{NOTES}\n\nExit codes:\n{}", codes.concat())
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the core in this terminal, which also answers its questions
    Serve {
        /// Take over from a core that runs: it finishes what is under way, and no client notices
        #[arg(long)]
        replace: bool,
    },
    /// Turn Keybearer on, and start the core in the background if none runs
    Start,
    /// Turn Keybearer off: end the core in good order, and let nothing but `start` or `serve` start it again
    Stop {
        /// Leave it turned on: whoever needs the core next starts it again
        #[arg(long, conflicts_with = "anyway")]
        until_needed: bool,
        /// Turn it off even if the keychain has not taken a sign-in, which is lost then
        #[arg(long)]
        anyway: bool,
    },
    /// Connect a client to a server: what an AI client starts
    Stdio {
        /// The server's short name; without it, Keybearer's own MCP server with the tools of all
        server: Option<ServerName>,
    },
    /// Show the core, its servers, clients and sign-ins
    Status,
    /// Sign in to a server
    Login {
        /// The server's short name
        server: ServerName,
        /// Print the address of the sign-in page instead of opening a browser
        #[arg(long)]
        no_browser: bool,
        /// Sign in on any device: print a code, and where to type it in
        #[arg(long, conflicts_with = "no_browser")]
        device: bool,
    },
    /// Sign out of a server: revoke the sign-in and forget it
    Logout {
        /// The server's short name
        server: ServerName,
    },
    /// Look at what a server and its company sign-in do, lack and contradict; nobody is signed in
    Doctor {
        /// The server's short name, or a URL
        #[arg(value_name = "NAME|URL")]
        target: String,
    },
    /// Add, remove and show servers
    #[command(subcommand)]
    Servers(Servers),
    /// Register and revoke clients
    #[command(subcommand)]
    Clients(Clients),
    /// Show and revoke what was allowed in the Keybearer window
    #[command(subcommand)]
    Permissions(Permissions),
    /// Connect an AI client: write Keybearer into its settings; without a name, list the clients
    Connect(Connect),
    /// Take back what `connect` wrote, and revoke the client
    Disconnect {
        /// The client, as `keybearer connect` lists it
        client: String,
    },
    /// List the tools of a server, as a client sees them
    Tools {
        /// The server's short name
        server: ServerName,
    },
    /// Call a tool of a server, as a client would: by the same policy, with the same audit
    Call {
        /// The server's short name
        server: ServerName,
        /// The tool's name
        tool: String,
        /// The arguments as a JSON object; `-` reads them from standard input
        #[arg(default_value = "{}", value_name = "JSON")]
        arguments: String,
    },
    /// Read and verify the audit trail; works without a core
    #[command(subcommand)]
    Audit(Audit),
    /// Let the session's service manager start the core
    #[command(subcommand, name = "service")]
    Service(Supervision),
    /// Remove what Keybearer has of you on this machine: sign-ins, entries in apps, settings, records
    RemoveMyData(Removal),
    /// Print the client metadata document: what a company hosts, so that its sign-in knows Keybearer by an address
    ClientMetadata {
        /// Where it will be hosted; without it, what `client_metadata_url` in config.toml says
        #[arg(value_name = "URL")]
        url: Option<String>,
    },
    /// Print a completion script for a shell
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a folder
    Man {
        /// The folder
        dir: PathBuf,
    },
}

/// Servers: the remote MCP servers that clients reach through Keybearer.
#[derive(Debug, Subcommand)]
pub(crate) enum Servers {
    /// Add a server to config.toml
    Add(AddServer),
    /// List the servers and where their sign-ins stand
    List,
    /// Show one server
    Show {
        /// The server's short name
        name: ServerName,
    },
    /// Remove a server from config.toml, and its sign-in
    Remove {
        /// The server's short name
        name: ServerName,
    },
}

/// A server to add.
#[derive(Debug, ClapArgs)]
pub(crate) struct AddServer {
    /// A short name, as in `keybearer stdio NAME`
    pub(crate) name: ServerName,
    /// The URL of its MCP endpoint
    pub(crate) url: String,
    /// A header that carries a secret, for a server that has nothing better
    #[arg(long, value_name = "HEADER", requires = "secret_stdin", conflicts_with_all = ["client_id", "scopes"])]
    pub(crate) header: Option<String>,
    /// Read the header's value from standard input; it is kept in the keychain
    #[arg(long, requires = "header")]
    pub(crate) secret_stdin: bool,
    /// The client id that the company sign-in gave for Keybearer, where clients cannot register themselves
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The company sign-in that gave it, as its metadata writes itself: no other is shown the client
    #[arg(long, value_name = "URL", requires = "client_id")]
    pub(crate) issuer: Option<String>,
    /// Read that client's secret from standard input; it is kept in the keychain
    #[arg(long, requires = "client_id")]
    pub(crate) client_secret_stdin: bool,
    /// A scope to ask for, instead of those that the server names; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
}

/// Clients: the programs on this machine that speak MCP to Keybearer.
#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// Register a client: by its program, or by a key that is shown once
    Add {
        /// A short name
        name: ClientName,
        /// A server that it may use; may be repeated; without it, all
        #[arg(long = "server", value_name = "NAME")]
        servers: Vec<ServerName>,
        /// The path of its program, for a client that starts `keybearer stdio`; without it, the client gets a key
        #[arg(long, value_name = "PATH")]
        program: Option<PathBuf>,
        /// It runs in a container on this machine: its key may come from there, too
        #[arg(long, conflicts_with = "program")]
        container: bool,
    },
    /// List the clients
    List,
    /// Revoke a client: its key stops working and its streams are cut
    Revoke {
        /// The client's name
        name: ClientName,
    },
}

/// Permissions: what a person has allowed beyond one call.
#[derive(Debug, Subcommand)]
pub(crate) enum Permissions {
    /// List the permissions
    List,
    /// Revoke a permission: the next call asks again
    Revoke {
        /// Its number
        number: u64,
    },
}

/// A client to connect.
#[derive(Debug, ClapArgs)]
pub(crate) struct Connect {
    /// The client, as `keybearer connect` lists it
    pub(crate) client: Option<String>,
    /// A server that it gets; may be repeated; without it, one entry with the tools of all
    #[arg(long = "server", value_name = "NAME", requires = "client")]
    pub(crate) servers: Vec<ServerName>,
    /// Where it runs, for a client that runs in several places: native, docker-desktop or linux-engine
    #[arg(long, value_name = "PLACE", requires = "client")]
    pub(crate) placement: Option<String>,
    /// How it reaches Keybearer, if not in the best way: stdio, http or socket
    #[arg(long, value_name = "WAY", requires = "client")]
    pub(crate) transport: Option<String>,
    /// Its settings file, or the folder of it, if it is not where it usually is
    #[arg(long, value_name = "PATH", requires = "client")]
    pub(crate) file: Option<PathBuf>,
    /// Show what would be written, and write nothing
    #[arg(long, requires = "client")]
    pub(crate) dry_run: bool,
    /// Write without asking
    #[arg(long, requires = "client")]
    pub(crate) yes: bool,
    /// Write a bundle that the client installs, instead of changing its settings
    #[arg(long, value_name = "FILE", requires = "client", conflicts_with_all = ["placement", "transport", "file"])]
    pub(crate) bundle: Option<PathBuf>,
}

/// What is removed, and what stays.
#[derive(Debug, ClapArgs)]
pub(crate) struct Removal {
    /// Let something stay; may be repeated
    #[arg(long, value_name = "WHAT", value_enum)]
    pub(crate) keep: Vec<Keep>,
    /// Show what would be removed, and remove nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove without asking
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What may stay when everything else is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Keep {
    /// `config.toml`
    Settings,
    /// The audit trail
    Audit,
}

/// The session's service manager: systemd's user manager, launchd, Windows' task scheduler.
#[derive(Debug, Subcommand)]
pub(crate) enum Supervision {
    /// Have the core started when a client needs it, or at login, and again when it dies
    Install,
    /// Take that back; the core that it runs ends
    Uninstall,
    /// Show whether it was told, and what it does
    Status,
}

/// The audit trail.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Show the last records
    Tail {
        /// How many
        #[arg(short = 'n', value_name = "N", default_value_t = 20)]
        number: usize,
    },
    /// Check that no record was changed, removed or moved
    Verify,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Args::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn json_goes_anywhere() {
        for line in ["keybearer --json status", "keybearer status --json", "keybearer clients add librechat --json"] {
            assert!(parse(line).unwrap().json, "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "keybearer",
            "keybearer servers add CRM https://crm.test/mcp",
            "keybearer servers add crm https://crm.test/mcp --header X-API-Key",
            "keybearer servers add crm https://crm.test/mcp --secret-stdin",
            "keybearer servers add crm https://crm.test/mcp --client-secret-stdin",
            "keybearer servers add crm https://crm.test/mcp --issuer https://login.test",
            "keybearer servers add crm https://crm.test/mcp --header X-Key --secret-stdin --client-id a",
            "keybearer login",
            "keybearer call crm",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
