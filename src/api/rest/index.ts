export { createRestApp, type RestLog, type RestOptions } from './app.ts';
