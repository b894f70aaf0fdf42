/** The activity as it happens: one subscription for the whole window, begun by whoever looks first. */
import type { ActivityRecord, Core, Failure } from "./api";

/** No window shows more. */
const MOST = 1000;

export class Activity {
  /** The newest first. */
  records = $state.raw<ActivityRecord[]>([]);
  /** Whether the first answer has come. */
  known = $state.raw(false);
  failure = $state.raw<Failure>();
  private stop: (() => void) | undefined;

  /** Begins anew, as with another core. */
  follow(core: Core): void {
    this.leave();
    this.failure = undefined;
    this.stop = core.activity(
      (records) => {
        const newest = this.records[0]?.seq ?? 0;
        const older = this.known ? this.records : [];
        const fresh = this.known ? records.filter((record) => record.seq > newest) : records;
        this.records = [...fresh.toReversed(), ...older].slice(0, MOST);
        this.known = true;
      },
      (failure) => (this.failure = failure),
    );
  }

  leave(): void {
    this.stop?.();
    this.stop = undefined;
    this.known = false;
    this.records = [];
  }
}
