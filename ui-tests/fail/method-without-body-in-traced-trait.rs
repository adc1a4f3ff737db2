use trace_runtime::traced;

#[traced]
trait Store {
    #[traced(kind = client)]
    fn save(&self, id: u64); //~

    fn load(&self) {}
}

impl Store for () {
    fn save(&self, _: u64) {}
}

fn main() {
    ().save(1);
    ().load();
}
