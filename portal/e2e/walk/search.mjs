export async function search() {}
