/** Whether node_modules was made from this package-lock.json, for this platform. */
export function isInstalled(root: string): boolean;
/** The same for a node_modules that npm made without our start script. */
export function installedByHand(root: string): boolean;
