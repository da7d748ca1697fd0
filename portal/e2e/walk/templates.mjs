export async function templates() {}
