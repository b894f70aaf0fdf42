// Generated from crates/control by `cargo xtask codegen`; changes here are lost.

/**
 * What the shell shows, whole, whenever it changes.
 */
export type View = { "kind": "starting" } | { "kind": "away", 
/**
 * Why not, where that is known.
 */
failure?: Failure, } | { "kind": "attached", 
/**
 * What to make of it.
 */
home: Home, 
/**
 * Its state, for the pages that show more.
 */
snapshot: Snapshot, };

/**
 * What to make of a running core.
 */
export type Home = { 
/**
 * The shape that stands for the whole.
 */
mark: Mark, 
/**
 * The one thing to know.
 */
headline: Headline, 
/**
 * What concerns more than one server.
 */
notices: Array<Notice>, 
/**
 * Every server: those that want something first, then by name.
 */
rows: Array<Row>, 
/**
 * The servers to which the person would have to sign in again if Keybearer were turned off now, while the person is
 * asked about that.
 */
losing: Array<string>, };

/**
 * The shape that stands for the whole.
 */
export type Mark = { "kind": "ready" } | { "kind": "sign_in", 
/**
 * How many servers wait for the person.
 */
count: number, } | { "kind": "asking", 
/**
 * How many questions wait for the person.
 */
count: number, } | { "kind": "blocked" } | { "kind": "offline" };

/**
 * The one thing to know about a running core.
 */
export type Headline = { "kind": "stopped" } | { "kind": "sign_in_to", 
/**
 * Which.
 */
name: string, } | { "kind": "sign_in_to_many", 
/**
 * How many.
 */
count: number, } | { "kind": "finish_sign_in" } | { "kind": "keychain_locked" } | { "kind": "problems", 
/**
 * How many.
 */
count: number, } | { "kind": "no_tools" } | { "kind": "ready" } | { "kind": "refused" } | { "kind": "unreachable" } | { "kind": "not_signed_in" } | { "kind": "some_ready", 
/**
 * How many.
 */
ready: number, 
/**
 * Of how many.
 */
all: number, };

/**
 * Something that concerns more than one server.
 */
export type Notice = { "kind": "memory_by_choice" } | { "kind": "memory_for_want" } | { "kind": "problem", 
/**
 * What.
 */
failure: Failure, };

/**
 * An error as a person reads it.
 */
export type Failure = { 
/**
 * What kind it is; each has a sentence in every language.
 */
code: Code, 
/**
 * What failed exactly, as an English sentence.
 */
text: string, 
/**
 * What to do, as an English sentence.
 */
hint?: string, 
/**
 * What failed exactly, where there are words for it in every language.
 */
exactly?: Exactly, };

/**
 * One server.
 */
export type Row = { 
/**
 * Its short name; what a request names it by.
 */
name: string, 
/**
 * The host that it lives on.
 */
host: string, 
/**
 * Who is signed in.
 */
account?: string, 
/**
 * How the state is meant.
 */
tone: Tone, 
/**
 * Where it stands.
 */
state: State, 
/**
 * When the sign-in ends, if it still serves and that is near: within a day.
 */
ends?: NearEnd, 
/**
 * Why the person has to sign in.
 */
because?: Because, 
/**
 * What a server or issuer said: foreign text, to be set apart from ours.
 */
quote?: string, 
/**
 * Why the last request for it failed.
 */
failure?: Failure, 
/**
 * What the person can do.
 */
action?: Action, };

/**
 * Where a server stands, as one word or two; some have a sentence besides.
 */
export type State = "not_signed_in" | "not_used" | "ready" | "signed_in" | "signed_in_not_saved" | "signing_in" | "sign_in_needed" | "refused" | "unreachable" | "keychain_locked";

/**
 * How a state is meant; each has its own colour and its own shape.
 */
export type Tone = "attention" | "danger" | "waiting" | "good" | "quiet";

/**
 * What a person can do for a server.
 */
export type Action = "sign_in" | "sign_out";

/**
 * The state of a core at one moment.
 */
export type Snapshot = { 
/**
 * The core's version.
 */
version: string, 
/**
 * The core's process id.
 */
pid: number, 
/**
 * Every configured server, by name.
 */
servers: Array<Server>, 
/**
 * Every registered client, by name.
 */
clients: Array<Client>, 
/**
 * Where sign-ins are kept.
 */
key_store: KeyStore, 
/**
 * The HTTP door.
 */
http_door: HttpDoor, 
/**
 * The door for programs in containers.
 */
container_door: ContainerDoor, 
/**
 * Where programs that speak HTTP over a local socket come in: a path, or a pipe's name on Windows.
 */
socket_door?: string, 
/**
 * Whether the person has stopped all access: every call is refused.
 */
stopped: boolean, 
/**
 * What persons have allowed beyond one call, by number.
 */
permissions: Array<Permission>, 
/**
 * What is wrong with the whole and needs somebody: a broken `config.toml`, for example.
 */
problems: Array<Error>, };

/**
 * One configured server.
 */
export type Server = { 
/**
 * Its short name.
 */
name: string, 
/**
 * Its URL.
 */
url: string, 
/**
 * How it is authenticated to.
 */
auth: Auth, 
/**
 * Where its sign-in stands.
 */
state: SignIn, 
/**
 * Who is signed in there, as a person recognises it.
 */
account?: string, 
/**
 * The company sign-in (issuer) that it uses, once known.
 */
issuer?: string, 
/**
 * When the sign-in ends, if that is near.
 */
ends?: NearEnd, 
/**
 * The other servers of the same sign-in: signing out of one signs out of all.
 */
shares_with?: Array<string>, 
/**
 * Where that sign-in deviates from the standards, and who lets it: in words.
 */
deviations?: Array<string>, };

/**
 * The near end of a sign-in.
 */
export type NearEnd = { 
/**
 * When, RFC 3339.
 */
at: string, 
/**
 * How that is known.
 */
by: Evidence, 
/**
 * When the person was told of it, RFC 3339: a shell announces it when this comes.
 */
told_at?: string, };

/**
 * How an end is known.
 */
export type Evidence = "issuer" | "set" | "experience";

/**
 * How a server is authenticated to.
 */
export type Auth = "oauth" | "header" | "none";

/**
 * Where a server's sign-in stands. It always says why.
 */
export type SignIn = { "kind": "unknown" } | { "kind": "ready" } | { "kind": "signed_in", 
/**
 * Whether the grant outlives this core: false means "memory only".
 */
saved: boolean, } | { "kind": "renewing" } | { "kind": "signing_in" } | { "kind": "needed", 
/**
 * Why.
 */
because: Because, } | { "kind": "refused", 
/**
 * What IT needs to know.
 */
detail: string, } | { "kind": "unreachable", 
/**
 * What was tried.
 */
detail: string, 
/**
 * Since when, RFC 3339.
 */
since: string, } | { "kind": "key_store", 
/**
 * What it said.
 */
detail: string, };

/**
 * Why the person has to sign in.
 */
export type Because = { "why": "never_signed_in" } | { "why": "ended", 
/**
 * When that came out, RFC 3339.
 */
at: string, } | { "why": "interrupted", 
/**
 * When that came out, RFC 3339.
 */
at: string, } | { "why": "signed_out" } | { "why": "not_kept" } | { "why": "account_changed", 
/**
 * Whose sign-in is kept.
 */
before: string, 
/**
 * Who signed in.
 */
now: string, } | { "why": "failed", 
/**
 * How.
 */
how: SignInFailure, 
/**
 * Why not, in our words and perhaps the issuer's.
 */
detail: string, } | { "why": "no_header" } | { "why": "unusable_header" };

/**
 * How a sign-in failed; each has a sentence in every language.
 */
export type SignInFailure = "declined" | "away" | "no_sign_in" | "metadata" | "not_known" | "moved" | "no_code" | "code_ended" | "mixed_up" | "refused" | "unproven" | "not_shown" | "timed_out" | "called_off" | "other";

/**
 * One registered client.
 */
export type Client = { 
/**
 * Its name.
 */
name: string, 
/**
 * What identifies it.
 */
by: ClientBy, 
/**
 * The servers it may use; empty means all.
 */
servers: Array<string>, 
/**
 * When it was registered, RFC 3339.
 */
since: string, 
/**
 * When it was last seen, RFC 3339.
 */
last_seen?: string, };

/**
 * What identifies a client.
 */
export type ClientBy = { "kind": "key" } | { "kind": "program", 
/**
 * The path.
 */
path: string, };

/**
 * Where sign-ins are kept.
 */
export type KeyStore = "system" | "memory_by_choice" | "memory_for_want";

/**
 * The HTTP door.
 */
export type HttpDoor = { "kind": "closed" } | { "kind": "open", 
/**
 * The addresses, for example `http://127.0.0.1:41234`.
 */
addresses: Array<string>, } | { "kind": "blocked", 
/**
 * Which port.
 */
port: number, };

/**
 * The door for programs in containers of this machine.
 */
export type ContainerDoor = { "kind": "closed" } | { "kind": "open", 
/**
 * Its URL without a path; programs in containers write `host.docker.internal` for the address.
 */
address: string, } | { "kind": "blocked", 
/**
 * Why.
 */
detail: string, };

/**
 * One record of the audit trail. What a kind of event does not have is absent.
 */
export type Record = { 
/**
 * Its number.
 */
seq: number, 
/**
 * When, RFC 3339.
 */
time: string, 
/**
 * What happened.
 */
event: Happening, 
/**
 * The app, by the name that it is registered under.
 */
client?: string, 
/**
 * The app's executable.
 */
program?: string, 
/**
 * The programs above it, the nearest first; one that the system does not name is empty.
 */
started_by: Array<string>, 
/**
 * The server.
 */
server?: string, 
/**
 * The message's method.
 */
method?: string, 
/**
 * The tool that was called.
 */
tool?: string, 
/**
 * What the tool may do.
 */
risk?: Risk, 
/**
 * The names of its arguments; their values are not recorded.
 */
arguments: Array<string>, 
/**
 * As whom.
 */
account?: string, 
/**
 * The names of the app's headers that went on to the server.
 */
headers: Array<string>, 
/**
 * What was decided.
 */
decision?: Decision, 
/**
 * Which rule decided, or who.
 */
reason?: string, 
/**
 * How it ended: a stable word.
 */
outcome?: Outcome, 
/**
 * The server's HTTP status.
 */
status?: number, 
/**
 * How long it took.
 */
duration_ms?: number, 
/**
 * The company sign-in.
 */
issuer?: string, 
/**
 * How often.
 */
times?: number, 
/**
 * On what the decision rests; `reason` says the same in English.
 */
basis?: Basis, 
/**
 * The number of the rule.
 */
rule?: number, 
/**
 * The rule's line in `config.toml`.
 */
line?: number, 
/**
 * The number of the permission.
 */
permission?: number, 
/**
 * What a question or a permission is about.
 */
matter?: Topic, 
/**
 * Its tool, method, or the name of the app that was to be connected.
 */
what?: string, 
/**
 * What the person said.
 */
answer?: Said, 
/**
 * How long a permission lasts.
 */
lasts?: Said, 
/**
 * Why an answer or a permission does not count.
 */
why?: Why, 
/**
 * The servers that one sign-in serves.
 */
servers: Array<string>, 
/**
 * The number of the call's messages, where somebody looked at them.
 */
exchange?: number, 
/**
 * When a sign-in ends, RFC 3339.
 */
at?: string, };

/**
 * What a record is about.
 */
export type Happening = "call" | "sign_in" | "sign_in_ends" | "sign_out" | "renewed" | "client_added" | "answered" | "answer_refused" | "prompter_attached" | "prompter_refused" | "permission_given" | "permission_ended" | "program_changed" | "client_revoked" | "server_added" | "server_removed" | "access_stopped" | "access_resumed" | "repaired" | "discontinued" | "turned_away" | "inspection_begun" | "inspection_ended" | "lost" | "other";

/**
 * What was decided about a call.
 */
export type Decision = "allow" | "deny";

/**
 * On what a decision rests.
 */
export type Basis = "rule" | "registered_client" | "person" | "permission" | "no_rule" | "nobody_to_ask" | "no_answer" | "too_many_questions" | "other_servers" | "stopped" | "other";

/**
 * What a question or a permission is about.
 */
export type Topic = "connect" | "call" | "add_server" | "add_client" | "other";

/**
 * What a person said.
 */
export type Said = "deny" | "once" | "session" | "today" | "always" | "other";

/**
 * Why an answer or a permission does not count.
 */
export type Why = "too_early" | "too_late" | "twice" | "withdrawn" | "unknown" | "not_offered" | "not_the_shell" | "taken" | "revoked" | "program_closed" | "program_changed" | "client_revoked" | "server_removed" | "ran_out" | "other";

/**
 * What a tool may do.
 */
export type Risk = "read" | "change" | "delete" | "send";

/**
 * How a call ended.
 */
export type Outcome = "answered" | "denied" | "unknown_server" | "unknown_session" | "not_sent" | "sign_in_needed" | "refused_by_server" | "issuer_unavailable" | "key_store" | "unreachable" | "interrupted" | "aborted" | "other";

/**
 * One call's messages.
 */
export type Exchange = { 
/**
 * Its number; the record of the call has it, too.
 */
number: number, 
/**
 * The names of the headers that the app sent.
 */
came: Array<string>, 
/**
 * Those of them that did not go on.
 */
stripped: Array<string>, 
/**
 * The header that carried the credential, where one was attached. Its value is not told.
 */
credential?: string, 
/**
 * What the app sent.
 */
sent: Messages, 
/**
 * The server's HTTP status.
 */
status?: number, 
/**
 * What the server sent.
 */
got: Messages, };

/**
 * The messages of one direction.
 */
export type Messages = { 
/**
 * Each as indented JSON, its secrets cut.
 */
texts: Array<string>, 
/**
 * How many bytes there were.
 */
bytes: number, 
/**
 * How many secrets were cut.
 */
cut: number, 
/**
 * Whether there was something that could not be looked through, and is not shown.
 */
withheld: boolean, };

/**
 * A tool of a server, in the server's words: foreign text, clean and of bounded length.
 */
export type Tool = { 
/**
 * Its name.
 */
name: string, 
/**
 * What the server calls it for people.
 */
title?: string, 
/**
 * What the server says of it.
 */
description?: string, 
/**
 * What it may do, by our own judgement.
 */
risk: Risk, };

/**
 * What is at an address.
 */
export type Found = { "kind": "open", 
/**
 * What it calls itself.
 */
name?: string, } | { "kind": "sign_in", 
/**
 * Where the person will sign in: a host.
 */
issuer?: string, } | { "kind": "locked" } | { "kind": "foreign", 
/**
 * How it answered: an HTTP status.
 */
status: number, } | { "kind": "unreachable", 
/**
 * The system's words.
 */
detail: string, } | { "kind": "certificate", 
/**
 * What is wrong with it.
 */
detail: string, } | { "kind": "interrupted", 
/**
 * What happened.
 */
detail: string, };

/**
 * The settings in force, and where things lie.
 */
export type Settings = { 
/**
 * The person's settings file.
 */
file: string, 
/**
 * The folder with what Keybearer remembers.
 */
state: string, 
/**
 * The folder of the audit trail.
 */
audit: string, 
/**
 * How many rules there are.
 */
rules: number, 
/**
 * The settings, in the order of the documentation.
 */
settings: Array<Setting>, };

/**
 * One setting.
 */
export type Setting = { 
/**
 * Its name in `config.toml`.
 */
name: string, 
/**
 * Its value.
 */
value: string, 
/**
 * Where that comes from.
 */
source: Source, };

/**
 * Where a value comes from.
 */
export type Source = { "kind": "default" } | { "kind": "file", 
/**
 * On this line.
 */
line: number, };

/**
 * Everything that waits for an answer at the shell.
 */
export type Prompts = { 
/**
 * The questions to show, first come first: three at most.
 */
questions: Array<Question>, 
/**
 * How many more wait behind them.
 */
waiting: number, };

/**
 * One question.
 */
export type Question = { 
/**
 * Names it in the answer; of no use to any other connection.
 */
id: string, 
/**
 * Who asks.
 */
asker: Asker, 
/**
 * What is asked.
 */
matter: Matter, 
/**
 * How long a yes can count; the shortest first.
 */
lastings: Array<Lasting>, 
/**
 * How many milliseconds the person has from now.
 */
left_ms: number, 
/**
 * Whether that can be made longer.
 */
more_time: boolean, 
/**
 * How many more requests of the same kind wait for it.
 */
others: number, };

/**
 * Who asks.
 */
export type Asker = { 
/**
 * What it is called: the name that it was registered with, or its file's; absent where it is not known.
 */
name?: string, 
/**
 * How well it is known.
 */
known: Known, 
/**
 * Its program's path, where the system named it.
 */
path?: string, 
/**
 * Who made it, where the system vouches for that.
 */
publisher?: string, 
/**
 * What an icon may be looked up by: the client's id in the catalogue of clients.
 */
icon?: string, 
/**
 * When it was started, RFC 3339.
 */
started?: string, 
/**
 * What started it.
 */
started_by?: string, };

/**
 * How well an asker is known.
 */
export type Known = "key" | "registered" | "program" | "weak";

/**
 * What is asked.
 */
export type Matter = { "kind": "call", 
/**
 * To which server.
 */
server: string, 
/**
 * What it does there.
 */
wants: Wants, 
/**
 * The tool, if it calls one.
 */
tool?: string, 
/**
 * The method, if it is not a tool that is called.
 */
method?: string, 
/**
 * As whom.
 */
account?: string, 
/**
 * The arguments, in the order of the message.
 */
arguments: Array<Argument>, 
/**
 * How many arguments are not shown, because there are too many.
 */
omitted: number, } | { "kind": "add_server", 
/**
 * Its name.
 */
name: string, 
/**
 * Its URL.
 */
url: string, } | { "kind": "add_client", 
/**
 * Its name.
 */
name: string, 
/**
 * Its program; absent for one that gets a key.
 */
program?: string, 
/**
 * The servers that it may use; empty means all.
 */
servers: Array<string>, };

/**
 * What a call does, as a person understands it.
 */
export type Wants = "connect" | "list" | "read" | "change" | "delete" | "send";

/**
 * One argument.
 */
export type Argument = { 
/**
 * Its name.
 */
name: string, 
/**
 * The beginning of its value, as the message has it: JSON.
 */
value: string, 
/**
 * How many characters the whole value has.
 */
characters: number, };

/**
 * How long a yes counts.
 */
export type Lasting = "once" | "session" | "today" | "always";

/**
 * What the person says.
 */
export type Answer = { "say": "deny" } | { "say": "allow", 
/**
 * So long.
 */
lasting: Lasting, };

/**
 * What a person has allowed beyond one call.
 */
export type Permission = { 
/**
 * Its number.
 */
number: number, 
/**
 * Whose it is: the registered name, or the program's file; absent for a program that nobody can name.
 */
holder?: string, 
/**
 * The program's path, where the system named it.
 */
program?: string, 
/**
 * At which server.
 */
server: string, 
/**
 * The tool or method; absent for connecting and seeing what there is.
 */
what?: string, 
/**
 * As whom, if only as that account.
 */
account?: string, 
/**
 * How long.
 */
lasting: Lasting, 
/**
 * When it was given, RFC 3339.
 */
given: string, 
/**
 * When it ends by itself at the latest, RFC 3339.
 */
ends?: string, };

/**
 * A sentence of the catalogue of clients, in each language that Keybearer speaks.
 */
export type Sentence = { 
/**
 * English.
 */
en: string, 
/**
 * German.
 */
de: string, };

/**
 * Which client to connect, and how.
 */
export type Wish = { 
/**
 * The client, by its short name.
 */
client: string, 
/**
 * The servers that it gets; empty means all, by one entry.
 */
servers: Array<string>, 
/**
 * Where it runs, for one that runs in several places.
 */
placement?: string, 
/**
 * How it is to reach us, if not in the best way: `stdio`, `http` or `socket`.
 */
transport?: string, 
/**
 * Its file, absolute, if it is not where it usually is.
 */
file?: string, };

/**
 * A client that is known, and how it stands.
 */
export type KnownClient = { 
/**
 * Its short name.
 */
id: string, 
/**
 * What a person calls it.
 */
name: string, 
/**
 * Whether it seems to be installed here.
 */
installed: boolean, 
/**
 * Where it may run, if that makes a difference.
 */
placements: Array<string>, 
/**
 * The file that is changed; absent where only the person knows.
 */
file?: string, 
/**
 * How it is connected, if it is.
 */
connection?: Connection, };

/**
 * A connection that we made.
 */
export type Connection = { 
/**
 * How the client reaches us: `stdio`, `http` or `socket`.
 */
transport: string, 
/**
 * Where it runs, if that makes a difference.
 */
placement?: string, 
/**
 * The servers that were named; empty means all.
 */
servers: Array<string>, 
/**
 * The files that were changed.
 */
files: Array<string>, 
/**
 * Since when, RFC 3339.
 */
since: string, };

/**
 * What connecting would do.
 */
export type Preview = { 
/**
 * The client's short name.
 */
client: string, 
/**
 * What a person calls it.
 */
name: string, 
/**
 * How it will reach us.
 */
transport: string, 
/**
 * What it will be known by.
 */
known_by: KnownBy, 
/**
 * What becomes of its files.
 */
files: Array<FilePreview>, 
/**
 * The setting of ours that is switched on besides.
 */
setting?: string, 
/**
 * What the person should know before saying yes.
 */
warnings: Array<Sentence>, 
/**
 * Proves on writing that nothing has changed since.
 */
token: string, };

/**
 * What a client will be known by.
 */
export type KnownBy = { "kind": "key" } | { "kind": "program", 
/**
 * The path.
 */
path: string, } | { "kind": "arrival" };

/**
 * What becomes of one file.
 */
export type FilePreview = { 
/**
 * Where it is.
 */
path: string, 
/**
 * Where it really is, if that is a link.
 */
real?: string, 
/**
 * Whether it is there already.
 */
exists: boolean, 
/**
 * The entries of ours that are replaced, by the names of what is in them.
 */
replaces: Array<string>, 
/**
 * The lines that are added.
 */
added: Array<Added>, };

/**
 * Lines that are added.
 */
export type Added = { 
/**
 * The number of the first.
 */
line: number, 
/**
 * The lines.
 */
text: string, };

/**
 * What was done.
 */
export type Connected = { 
/**
 * The client's short name.
 */
client: string, 
/**
 * What a person calls it.
 */
name: string, 
/**
 * How it reaches us.
 */
transport: string, 
/**
 * The servers that were named; empty means all.
 */
servers: Array<string>, 
/**
 * The files that were written.
 */
files: Array<Written>, 
/**
 * What the person still has to do.
 */
afterwards: Array<Sentence>, };

/**
 * A file that was written.
 */
export type Written = { 
/**
 * Where it is.
 */
path: string, 
/**
 * The copy of what was in it.
 */
backup?: string, };

/**
 * What was taken back.
 */
export type Disconnected = { 
/**
 * The client's short name.
 */
client: string, 
/**
 * What a person calls it.
 */
name: string, 
/**
 * The files, and what became of them.
 */
files: Array<Left>, 
/**
 * What the person still has to do.
 */
afterwards: Array<Sentence>, };

/**
 * A file that we have left.
 */
export type Left = { 
/**
 * Where it is, or was.
 */
path: string, 
/**
 * What became of it.
 */
how: Leaving, };

/**
 * What became of a file.
 */
export type Leaving = "restored" | "removed" | "entries_removed" | "untouched";

/**
 * What was found at one server and its company sign-in.
 */
export type Diagnosis = { 
/**
 * The server's URL.
 */
url: string, 
/**
 * Each finding, in the order of the walk.
 */
findings: Array<Finding>, };

/**
 * One finding.
 */
export type Finding = { 
/**
 * What it is; docs/doctor.md lists them. A code never changes its meaning.
 */
code: string, 
/**
 * How much it matters.
 */
severity: Severity, 
/**
 * It, in a sentence for a person.
 */
words: string, 
/**
 * What the person can do, or whom to tell.
 */
advice?: string, 
/**
 * What exactly was seen, for IT.
 */
detail: string, };

/**
 * How much a finding matters.
 */
export type Severity = "good" | "note" | "warning" | "problem";

/**
 * What a sign-in window is told.
 */
export type WindowOrder = { "order": "show", 
/**
 * The page.
 */
page: SignInPage, } | { "order": "end", 
/**
 * How it ended.
 */
ending: WindowEnding, };

/**
 * A sign-in page, and what the window has to know of it.
 */
export type SignInPage = { 
/**
 * Its address; it holds this sign-in's state.
 */
url: string, 
/**
 * The addresses that end the sign-in. None is ever loaded: the window hands back what it carries.
 */
redirects: Array<string>, 
/**
 * The hosts, with their ports where those are unusual, that the window may go to without asking the person.
 */
hosts: Array<string>, 
/**
 * What shows that the sign-in cannot go on in the window.
 */
walls: Array<Wall>, };

/**
 * A text in a page's address or title that shows a wall.
 */
export type Wall = { 
/**
 * The text, compared without regard to case.
 */
text: string, 
/**
 * What is behind it.
 */
behind: Behind, };

/**
 * Why only a browser goes on.
 */
export type Behind = "refused" | "device" | "passkey";

/**
 * How a sign-in ended, for the person who looks at the window.
 */
export type WindowEnding = "signed_in" | "not_signed_in";

/**
 * What a sign-in window says.
 */
export type WindowSaid = { "said": "callback", 
/**
 * The query.
 */
query: Incoming, } | { "said": "closed" } | { "said": "browser" } | { "said": "untrusted", 
/**
 * Whose.
 */
host: string, } | { "said": "broken", 
/**
 * The system's words.
 */
cause: string, };

/**
 * What a peer asks of the core.
 */
export type Request = { "do": "status" } | { "do": "watch" } | { "do": "add_server", 
/**
 * Short name.
 */
name: string, 
/**
 * URL of the MCP endpoint.
 */
url: string, 
/**
 * A header that carries a secret, for servers that have nothing better.
 */
header?: HeaderSecret, 
/**
 * A client id that the issuer gave, where clients cannot register themselves.
 */
client_id?: string, 
/**
 * The issuer that gave it: no other is shown it.
 */
issuer?: string, 
/**
 * That client's secret, for a confidential one; kept in the keychain.
 */
client_secret?: Incoming, 
/**
 * Scopes to ask for instead of those that the server names.
 */
scopes: Array<string>, } | { "do": "remove_server", 
/**
 * Which.
 */
name: string, } | { "do": "add_client", 
/**
 * Its name.
 */
name: string, 
/**
 * The servers it may use; empty means all.
 */
servers: Array<string>, 
/**
 * Its executable; absent means that it gets a key.
 */
program?: string, 
/**
 * It runs in a container: its key may come from there, too.
 */
container: boolean, } | { "do": "revoke_client", 
/**
 * Which.
 */
name: string, } | { "do": "login", 
/**
 * To which server.
 */
server: string, 
/**
 * Whether the core opens the browser; otherwise the address is only told.
 */
open_browser: boolean, 
/**
 * Whether the person signs in on any device, by a code that [`Reply::Code`] brings.
 */
by_code: boolean, } | { "do": "logout", 
/**
 * Of which server.
 */
server: string, } | { "do": "doctor", 
/**
 * A server's short name, or a URL.
 */
target: string, } | { "do": "known_clients" } | { "do": "connect_preview", 
/**
 * Which, and how.
 */
wish: Wish, } | { "do": "connect", 
/**
 * Which, and how.
 */
wish: Wish, 
/**
 * The preview's token.
 */
token: string, } | { "do": "disconnect", 
/**
 * Which.
 */
client: string, } | { "do": "activity", 
/**
 * How many of those that are there.
 */
last: number, } | { "do": "tools", 
/**
 * Of which server.
 */
server: string, } | { "do": "look", 
/**
 * The address.
 */
url: string, } | { "do": "inspect" } | { "do": "settings" } | { "do": "stop_access" } | { "do": "resume_access" } | { "do": "take_prompts" } | { "do": "answer", 
/**
 * Which.
 */
question: string, 
/**
 * What the person says.
 */
answer: Answer, } | { "do": "more_time", 
/**
 * Which.
 */
question: string, } | { "do": "revoke_permission", 
/**
 * Its number.
 */
number: number, } | { "do": "offer_windows" } | { "do": "window_said", 
/**
 * Which window.
 */
window: number, 
/**
 * What it says.
 */
said: WindowSaid, } | { "do": "come_back" } | { "do": "leave_for_good" } | { "do": "save_all" } | { "do": "stop" } | { "do": "drain" };

/**
 * A header with a secret value.
 */
export type HeaderSecret = { 
/**
 * Its name, for example `X-API-Key`.
 */
name: string, 
/**
 * Its whole value.
 */
value: Incoming, };

/**
 * A secret on its way in: read from standard input by the command line, kept in the keychain by the core.
 */
export type Incoming = string;

/**
 * What the core answers.
 */
export type Reply = { "reply": "snapshot", 
/**
 * The state.
 */
snapshot: Snapshot, } | { "reply": "server", 
/**
 * The server.
 */
server: Server, } | { "reply": "client_added", 
/**
 * The client.
 */
client: Client, 
/**
 * Its key, shown this once; absent for a client known by its executable.
 */
key?: string, 
/**
 * Where it connects to, for each server: the HTTP door's URLs.
 */
urls: Array<string>, } | { "reply": "open", 
/**
 * The address; it is of use to this sign-in only, and only for ten minutes.
 */
url: string, } | { "reply": "code", 
/**
 * Where they go.
 */
address: string, 
/**
 * What they type in there.
 */
code: string, 
/**
 * The same address with the code in it, where there is one.
 */
whole?: string, } | { "reply": "signed_out", 
/**
 * What became of the refresh token at the issuer.
 */
revocation: Revocation, 
/**
 * The other servers of the same sign-in: they are signed out, too.
 */
with?: Array<string>, } | { "reply": "left_for_good", 
/**
 * What came of it at each server.
 */
ends: Array<SignInEnd>, } | { "reply": "diagnosis", 
/**
 * What was found.
 */
diagnosis: Diagnosis, } | { "reply": "known_clients", 
/**
 * Each of them.
 */
clients: Array<KnownClient>, } | { "reply": "connect_preview", 
/**
 * What it would do.
 */
preview: Preview, } | { "reply": "connected", 
/**
 * What was done.
 */
connected: Connected, } | { "reply": "disconnected", 
/**
 * What was taken back.
 */
disconnected: Disconnected, } | { "reply": "prompts", 
/**
 * All of it.
 */
prompts: Prompts, } | { "reply": "answered", 
/**
 * To which question.
 */
question: string, 
/**
 * Why it does not count, if it does not.
 */
refused?: Error, } | { "reply": "window", 
/**
 * Which window.
 */
window: number, 
/**
 * The order.
 */
order: WindowOrder, } | { "reply": "unsaved", 
/**
 * The servers that the person would have to sign in to again.
 */
servers: Array<string>, } | { "reply": "draining", 
/**
 * The names of the listening sockets that come with this line, in their order.
 */
sockets: Array<string>, } | { "reply": "activity", 
/**
 * The records.
 */
records: Array<Record>, } | { "reply": "exchanges", 
/**
 * The calls, as they ended.
 */
exchanges: Array<Exchange>, } | { "reply": "tools", 
/**
 * The tools, in the server's order.
 */
tools: Array<Tool>, } | { "reply": "found", 
/**
 * What was found.
 */
found: Found, } | { "reply": "settings", 
/**
 * The settings.
 */
settings: Settings, } | { "reply": "done" } | { "reply": "failed", 
/**
 * Why.
 */
error: Error, };

/**
 * What became of a token at the issuer on signing out.
 */
export type Revocation = { "kind": "revoked" } | { "kind": "not_offered" } | { "kind": "failed", 
/**
 * Why.
 */
detail: string, } | { "kind": "nothing" };

/**
 * How a server was signed out of.
 */
export type SignInEnd = { 
/**
 * The server.
 */
server: string, 
/**
 * What became of the refresh token at the issuer.
 */
revocation: Revocation, };

/**
 * An error: code, sentence, and what to do next.
 */
export type Error = { 
/**
 * To branch on.
 */
code: Code, 
/**
 * What failed, lower case, without a full stop.
 */
message: string, 
/**
 * What to do next, where there is something.
 */
hint?: string, 
/**
 * What failed exactly, for whoever says it in another language than `message`.
 */
exactly?: Exactly, };

/**
 * What went wrong, as something to branch on; text is never matched.
 */
export type Code = "bad_request" | "unknown_server" | "unknown_client" | "name_taken" | "broken_config" | "not_saved" | "unreachable" | "certificate" | "sign_in_needed" | "sign_in_failed" | "unsupported" | "key_store" | "port_taken" | "drifted" | "not_allowed" | "not_answered" | "unknown_permission" | "no_core" | "internal";

/**
 * What failed exactly: a kind, and the names that belong in the sentence.
 */
export type Exactly = { "kind": "no_server", 
/**
 * The name.
 */
name: string, } | { "kind": "no_client", 
/**
 * The name.
 */
name: string, } | { "kind": "taken", 
/**
 * The name.
 */
name: string, } | { "kind": "line", 
/**
 * Its number, from 1.
 */
line: number, } | { "kind": "sign_in_first", 
/**
 * Its name.
 */
name: string, } | { "kind": "timed_out", 
/**
 * To which server.
 */
name: string, } | { "kind": "called_off", 
/**
 * To which server.
 */
name: string, } | { "kind": "other_account", 
/**
 * To which server.
 */
name: string, 
/**
 * Whose sign-in is kept.
 */
before: string, 
/**
 * Who signed in.
 */
now: string, } | { "kind": "not_shown", 
/**
 * To which server.
 */
name: string, } | { "kind": "said_no", 
/**
 * To which server.
 */
name: string, 
/**
 * How.
 */
how: SignInFailure, } | { "kind": "port", 
/**
 * Which.
 */
port: number, } | { "kind": "other_program", 
/**
 * Which client.
 */
name: string, } | { "kind": "connected_already", 
/**
 * Which client.
 */
name: string, } | { "kind": "left_alone", 
/**
 * Which.
 */
path: string, } | { "kind": "nobody_allowed" };
