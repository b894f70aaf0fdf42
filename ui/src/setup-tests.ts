import "@testing-library/jest-dom/vitest";

// jsdom lays nothing out: there is nothing to observe and nothing to measure.
globalThis.ResizeObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
HTMLCanvasElement.prototype.getContext = () => null;
