import { defineConfig } from 'lakeward';

export default defineConfig({
  dir: './.lakeward',
});
