//! Events as a table in Parquet: a row an event, every field a column, and the symbol beside its number.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use model::{Event, FeedId, Flags, Kind, OrderRef, Px, Qty, Side, Symbol, Ts, VenueNumber};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::Failure;
use crate::out::Out;

/// Rows that are written together.
const GROUP: usize = 1 << 17;
/// Prices and quantities are in the units of the event that names the instrument: `px` of a directory holds its decimals.
const SCHEMA: &str = "message event {
    required int64 ts_venue_ns (integer(64, false));
    required int64 ts_recv_ns (integer(64, false));
    required int64 seq (integer(64, false));
    required int64 order (integer(64, false));
    required int64 px;
    required int64 qty;
    required int64 aux (integer(64, false));
    required int32 number (integer(32, false));
    required int32 flags (integer(8, false));
    required int32 feed (integer(8, false));
    required binary kind (string);
    required binary side (string);
    required binary symbol (string);
}";
/// How Parquet files begin.
const MAGIC: &[u8; 4] = b"PAR1";

/// Whether a file is a table.
pub fn is_table(path: &Path) -> bool {
    let mut magic = Vec::new();
    let begin = File::open(path).and_then(|file| file.take(4).read_to_end(&mut magic));
    begin.is_ok() && magic == MAGIC
}

/// Writes rows.
pub struct Writer {
    file: SerializedFileWriter<Out>,
    rows: Vec<Event>,
    symbols: HashMap<VenueNumber, Symbol>,
}

impl Writer {
    pub fn new(out: Out) -> Result<Writer, String> {
        let schema = parse_message_type(SCHEMA).map_err(text)?;
        let level = ZstdLevel::try_new(3).map_err(text)?;
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level));
        let properties = Arc::new(properties.build());
        let file = SerializedFileWriter::new(out, Arc::new(schema), properties).map_err(text)?;
        Ok(Writer { file, rows: Vec::with_capacity(GROUP), symbols: HashMap::new() })
    }

    /// Appends an event.
    pub fn take(&mut self, event: &Event) -> Result<(), String> {
        self.rows.push(*event);
        if self.rows.len() == GROUP { self.write_group() } else { Ok(()) }
    }

    /// Writes the rest and the foot.
    pub fn end(mut self) -> Result<(), String> {
        self.write_group()?;
        self.file.close().map(|_| ()).map_err(text)
    }

    fn write_group(&mut self) -> Result<(), String> {
        let Writer { file, rows, symbols } = self;
        if rows.is_empty() {
            return Ok(());
        }
        let names: Vec<Symbol> = rows
            .iter()
            .map(|event| {
                if let (Kind::Directory, Some((symbol, ..))) = (event.kind, event.listing()) {
                    symbols.insert(event.number, symbol);
                }
                symbols.get(&event.number).copied().unwrap_or_default()
            })
            .collect();
        let mut group = file.next_row_group().map_err(text)?;
        let longs: [fn(&Event) -> i64; 7] = [
            |event| event.ts_venue.0.cast_signed(),
            |event| event.ts_recv.0.cast_signed(),
            |event| event.seq.cast_signed(),
            |event| event.order.0.cast_signed(),
            |event| event.px.0,
            |event| event.qty.0,
            |event| event.aux.cast_signed(),
        ];
        for column in longs {
            let values: Vec<i64> = rows.iter().map(column).collect();
            write_column::<Int64Type>(&mut group, &values)?;
        }
        let ints: [fn(&Event) -> i32; 3] = [
            |event| event.number.0.cast_signed(),
            |event| event.flags.bits().into(),
            |event| event.feed.0.into(),
        ];
        for column in ints {
            let values: Vec<i32> = rows.iter().map(column).collect();
            write_column::<Int32Type>(&mut group, &values)?;
        }
        let kinds: Vec<ByteArray> = rows.iter().map(|event| event.kind.name().into()).collect();
        write_column::<ByteArrayType>(&mut group, &kinds)?;
        let sides: Vec<ByteArray> = rows.iter().map(|event| side_name(event.side).into()).collect();
        write_column::<ByteArrayType>(&mut group, &sides)?;
        let names: Vec<ByteArray> = names.iter().map(|symbol| symbol.as_str().into()).collect();
        write_column::<ByteArrayType>(&mut group, &names)?;
        group.close().map_err(text)?;
        rows.clear();
        Ok(())
    }
}

fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Out>,
    values: &[T::T],
) -> Result<(), String> {
    let mut column = group.next_column().map_err(text)?.ok_or("too few columns")?;
    column.typed::<T>().write_batch(values, None, None).map_err(text)?;
    column.close().map_err(text)
}

/// Hands every row of a table to `each`.
pub fn each(
    path: &Path,
    mut each: impl FnMut(&Event) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let refuse = |error: String| Failure::Cannot(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(crate::io(path))?;
    let reader = SerializedFileReader::new(file).map_err(|error| refuse(text(error)))?;
    let schema = parse_message_type(SCHEMA).map_err(|error| refuse(text(error)))?;
    if reader.metadata().file_metadata().schema().get_fields() != schema.get_fields() {
        return Err(refuse("a table of other columns than this command writes".into()));
    }
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number).map_err(|error| refuse(text(error)))?;
        for event in read_group(&*group).map_err(refuse)? {
            each(&event)?;
        }
    }
    Ok(())
}

fn read_group(group: &dyn RowGroupReader) -> Result<Vec<Event>, String> {
    let rows = usize::try_from(group.metadata().num_rows()).map_err(|error| error.to_string())?;
    let mut longs = Vec::new();
    for column in 0..7 {
        longs.push(read_column::<Int64Type>(group, column, rows)?);
    }
    let mut ints = Vec::new();
    for column in 7..10 {
        ints.push(read_column::<Int32Type>(group, column, rows)?);
    }
    let kinds = read_column::<ByteArrayType>(group, 10, rows)?;
    let sides = read_column::<ByteArrayType>(group, 11, rows)?;
    let mut events = Vec::with_capacity(rows);
    for row in 0..rows {
        let long = |column: usize| longs.get(column).and_then(|c: &Vec<i64>| c.get(row)).copied();
        let int = |column: usize| ints.get(column).and_then(|c: &Vec<i32>| c.get(row)).copied();
        let name = |column: &[ByteArray]| -> Option<String> {
            column.get(row).and_then(|name| name.as_utf8().ok()).map(str::to_owned)
        };
        let event = (|| {
            let kind = name(&kinds)?;
            Some(Event {
                ts_venue: Ts(long(0)?.cast_unsigned()),
                ts_recv: Ts(long(1)?.cast_unsigned()),
                seq: long(2)?.cast_unsigned(),
                order: OrderRef(long(3)?.cast_unsigned()),
                px: Px(long(4)?),
                qty: Qty(long(5)?),
                aux: long(6)?.cast_unsigned(),
                number: VenueNumber(int(0)?.cast_unsigned()),
                kind: *Kind::ALL.iter().find(|known| known.name() == kind)?,
                side: match name(&sides)?.as_str() {
                    "" => None,
                    "buy" => Some(Side::Buy),
                    "sell" => Some(Side::Sell),
                    _ => return None,
                },
                flags: Flags::from_bits(u8::try_from(int(1)?).ok()?)?,
                feed: FeedId(u8::try_from(int(2)?).ok()?),
            })
        })();
        events.push(event.ok_or_else(|| format!("row {row}: no event"))?);
    }
    Ok(events)
}

fn read_column<T: DataType>(
    group: &dyn RowGroupReader,
    column: usize,
    rows: usize,
) -> Result<Vec<T::T>, String> {
    let reader = group.get_column_reader(column).map_err(text)?;
    let mut reader = parquet::column::reader::get_typed_column_reader::<T>(reader);
    let mut values = Vec::new();
    while values.len() < rows {
        let (read, ..) =
            reader.read_records(rows - values.len(), None, None, &mut values).map_err(text)?;
        if read == 0 {
            return Err(format!("column {column} ends early"));
        }
    }
    Ok(values)
}

const fn side_name(side: Option<Side>) -> &'static str {
    match side {
        None => "",
        Some(Side::Buy) => "buy",
        Some(Side::Sell) => "sell",
    }
}

fn text(error: parquet::errors::ParquetError) -> String {
    error.to_string()
}
