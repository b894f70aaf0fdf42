/** One question to the shell, as a component shows it: under way, answered, or failed. */
import { failureOf, type Failure } from "./api";

export class Asked<T> {
  answer = $state.raw<T>();
  failure = $state.raw<Failure>();
  busy = $state.raw(false);
  private latest = 0;

  /** Asks; an answer that a newer question has overtaken is dropped. Tells whether this one was answered. */
  async ask(question: () => Promise<T>): Promise<boolean> {
    const mine = ++this.latest;
    this.busy = true;
    this.failure = undefined;
    try {
      const answer = await question();
      if (mine !== this.latest) return false;
      this.answer = answer;
      return true;
    } catch (thrown) {
      if (mine === this.latest) this.failure = failureOf(thrown);
      return false;
    } finally {
      if (mine === this.latest) this.busy = false;
    }
  }

  /** Forgets the answer and whatever is under way. */
  forget(): void {
    this.latest++;
    this.answer = undefined;
    this.failure = undefined;
    this.busy = false;
  }
}
