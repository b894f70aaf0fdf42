/** The person's look at the messages of calls: only while they want it, and nothing is left behind it. */
import type { Core, Exchange, Failure } from "./api";

/** As many as the core keeps, and somewhat more. */
const MOST = 200;

export class Inspector {
  looking = $state.raw(false);
  failure = $state.raw<Failure>();
  /** By their numbers, which the records have, too. */
  exchanges = $state.raw<ReadonlyMap<number, Exchange>>(new Map());
  private stop: (() => void) | undefined;

  begin(core: Core): void {
    this.end();
    this.failure = undefined;
    this.looking = true;
    this.stop = core.inspect(
      (fresh) => {
        const all = [...this.exchanges, ...fresh.map((exchange) => [exchange.number, exchange] as const)];
        this.exchanges = new Map(all.slice(-MOST));
      },
      (failure) => {
        this.failure = failure;
        this.looking = false;
        this.exchanges = new Map();
      },
    );
  }

  end(): void {
    this.stop?.();
    this.stop = undefined;
    this.looking = false;
    this.exchanges = new Map();
  }
}
