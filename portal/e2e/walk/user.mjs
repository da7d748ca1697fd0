export async function aroundTheUser() {}
