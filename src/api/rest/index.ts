export { createRestApp, type RestLog, type RestOptions } from './app.ts';
export type { RequestMetrics } from './request-metrics.ts';
