//! The metadata of gRPC requests as a carrier.

use tonic::Request;
use tonic::metadata::{Ascii, KeyRef, MetadataKey, MetadataMap, MetadataValue};

use super::carrier::text;
use super::{Extract, Inject};

/// Only texts: the values of keys that end in `-bin` are no headers of any format.
impl Inject for MetadataMap {
    fn set(&mut self, name: &str, value: String) {
        let name = MetadataKey::<Ascii>::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, MetadataValue::try_from(value)) {
            self.insert(name, value);
        }
    }

    fn remove(&mut self, name: &str) {
        MetadataMap::remove(self, name);
    }
}

impl Extract for MetadataMap {
    fn get_all(&self, name: &str) -> Vec<&str> {
        let values = MetadataMap::get_all(self, name).into_iter();
        values.map(|value| text(value.as_bytes())).collect()
    }

    fn names(&self) -> Vec<&str> {
        let keys = self.keys();
        keys.filter_map(|key| match key {
            KeyRef::Ascii(key) => Some(key.as_str()),
            KeyRef::Binary(_) => None,
        })
        .collect()
    }
}

impl<T> Inject for Request<T> {
    fn set(&mut self, name: &str, value: String) {
        self.metadata_mut().set(name, value);
    }

    fn remove(&mut self, name: &str) {
        Inject::remove(self.metadata_mut(), name);
    }
}

impl<T> Extract for Request<T> {
    fn get_all(&self, name: &str) -> Vec<&str> {
        Extract::get_all(self.metadata(), name)
    }

    fn names(&self) -> Vec<&str> {
        self.metadata().names()
    }
}
