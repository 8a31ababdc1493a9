/** `make plan ENV=prod`: what an environment would be, made offline. Usage: node infra/deploy/plan.ts ENVIRONMENT */
import { planOffline, settingsText } from './offline-plan.ts';
import { planSummary } from './plan-summary.ts';
import { terraformMissing } from './providers.ts';

const [environment = 'prod'] = process.argv.slice(2);
const missing = await terraformMissing();
if (missing !== undefined) throw new Error(`${missing}; see docs/how-to/deploy.md`);
await settingsText(environment);
console.log(`${environment}, as if nothing of it existed; AWS was not asked\n`);
console.log(planSummary(await planOffline(environment)));
