//! JavaScript's types that Rust has none of, as custom types of the format.

use serde::{Deserialize, Serialize};

macro_rules! custom {
    ($($name:ident, $devl:literal;)*) => {$(
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(rename = $devl)]
        pub(crate) struct $name<T>(pub(crate) T);
    )*};
}

custom! {
    JsDate, "$devl:Date";
    JsMap, "$devl:Map";
    JsSet, "$devl:Set";
    JsRegExp, "$devl:RegExp";
    JsUrl, "$devl:URL";
    JsUrlSearchParams, "$devl:URLSearchParams";
    JsHeaders, "$devl:Headers";
    JsError, "$devl:Error";
    JsRequest, "$devl:Request";
    JsResponse, "$devl:Response";
    JsArrayBuffer, "$devl:ArrayBuffer";
    JsInt8Array, "$devl:Int8Array";
    JsUint8ClampedArray, "$devl:Uint8ClampedArray";
    JsInt16Array, "$devl:Int16Array";
    JsUint16Array, "$devl:Uint16Array";
    JsInt32Array, "$devl:Int32Array";
    JsUint32Array, "$devl:Uint32Array";
    JsFloat32Array, "$devl:Float32Array";
    JsFloat64Array, "$devl:Float64Array";
    JsBigInt64Array, "$devl:BigInt64Array";
    JsBigUint64Array, "$devl:BigUint64Array";
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RegExp {
    pub(crate) source: String,
    pub(crate) flags: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ErrorParts {
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) stack: String,
}

pub(crate) type HeaderPairs = JsHeaders<Vec<(String, String)>>;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestParts {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: HeaderPairs,
    pub(crate) body: (),
    pub(crate) duplex: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResponseParts {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) status_text: String,
    pub(crate) headers: HeaderPairs,
    pub(crate) body: (),
    pub(crate) redirected: bool,
}

pub(crate) fn pairs(pairs: &[(&str, &str)]) -> HeaderPairs {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    JsHeaders(pairs.iter().map(owned).collect())
}
