#include "localcloud/catalogue_private.h"

/* Glue's DatabaseInput, TableInput and PartitionInput (AWS Glue API, 2017-03-31). */

static const struct shape COLUMN[] = {
    {"Name", SHAPE_TEXT, .required = true},
    {"Type", SHAPE_TEXT},
    {"Comment", SHAPE_TEXT},
    {"Parameters", SHAPE_TEXT_MAP},
    {NULL},
};
static const struct shape SERDE[] = {
    {"Name", SHAPE_TEXT},
    {"SerializationLibrary", SHAPE_TEXT},
    {"Parameters", SHAPE_TEXT_MAP},
    {NULL},
};
static const struct shape ORDER[] = {
    {"Column", SHAPE_TEXT, .required = true},
    {"SortOrder", SHAPE_INT, .required = true},
    {NULL},
};
static const struct shape SKEWED[] = {
    {"SkewedColumnNames", SHAPE_TEXT_LIST},
    {"SkewedColumnValues", SHAPE_TEXT_LIST},
    {"SkewedColumnValueLocationMaps", SHAPE_TEXT_MAP},
    {NULL},
};
static const struct shape SCHEMA_ID[] = {
    {"SchemaArn", SHAPE_TEXT},
    {"SchemaName", SHAPE_TEXT},
    {"RegistryName", SHAPE_TEXT},
    {NULL},
};
static const struct shape SCHEMA_REFERENCE[] = {
    {"SchemaId", SHAPE_OBJECT, SCHEMA_ID},
    {"SchemaVersionId", SHAPE_TEXT},
    {"SchemaVersionNumber", SHAPE_INT},
    {NULL},
};
static const struct shape STORAGE[] = {
    {"Columns", SHAPE_OBJECT_LIST, COLUMN},
    {"Location", SHAPE_TEXT},
    {"AdditionalLocations", SHAPE_TEXT_LIST},
    {"InputFormat", SHAPE_TEXT},
    {"OutputFormat", SHAPE_TEXT},
    {"Compressed", SHAPE_BOOL},
    {"NumberOfBuckets", SHAPE_INT},
    {"SerdeInfo", SHAPE_OBJECT, SERDE},
    {"BucketColumns", SHAPE_TEXT_LIST},
    {"SortColumns", SHAPE_OBJECT_LIST, ORDER},
    {"Parameters", SHAPE_TEXT_MAP},
    {"SkewedInfo", SHAPE_OBJECT, SKEWED},
    {"StoredAsSubDirectories", SHAPE_BOOL},
    {"SchemaReference", SHAPE_OBJECT, SCHEMA_REFERENCE},
    {NULL},
};
static const struct shape TARGET_TABLE[] = {
    {"CatalogId", SHAPE_TEXT},
    {"DatabaseName", SHAPE_TEXT},
    {"Name", SHAPE_TEXT},
    {"Region", SHAPE_TEXT},
    {NULL},
};
static const struct shape TARGET_DATABASE[] = {
    {"CatalogId", SHAPE_TEXT},
    {"DatabaseName", SHAPE_TEXT},
    {"Region", SHAPE_TEXT},
    {NULL},
};
static const struct shape PRINCIPAL[] = {
    {"DataLakePrincipalIdentifier", SHAPE_TEXT},
    {NULL},
};
static const struct shape PERMISSION[] = {
    {"Principal", SHAPE_OBJECT, PRINCIPAL},
    {"Permissions", SHAPE_TEXT_LIST},
    {NULL},
};

const struct shape catalogue_database_shape[] = {
    {"Name", SHAPE_TEXT, .required = true},
    {"Description", SHAPE_TEXT},
    {"LocationUri", SHAPE_TEXT},
    {"Parameters", SHAPE_TEXT_MAP},
    {"CreateTableDefaultPermissions", SHAPE_OBJECT_LIST, PERMISSION},
    {"TargetDatabase", SHAPE_OBJECT, TARGET_DATABASE},
    {NULL},
};
const struct shape catalogue_table_shape[] = {
    {"Name", SHAPE_TEXT, .required = true},
    {"Description", SHAPE_TEXT},
    {"Owner", SHAPE_TEXT},
    {"LastAccessTime", SHAPE_NUMBER},
    {"LastAnalyzedTime", SHAPE_NUMBER},
    {"Retention", SHAPE_INT},
    {"StorageDescriptor", SHAPE_OBJECT, STORAGE},
    {"PartitionKeys", SHAPE_OBJECT_LIST, COLUMN},
    {"ViewOriginalText", SHAPE_TEXT},
    {"ViewExpandedText", SHAPE_TEXT},
    {"TableType", SHAPE_TEXT},
    {"Parameters", SHAPE_TEXT_MAP},
    {"TargetTable", SHAPE_OBJECT, TARGET_TABLE},
    {NULL},
};
const struct shape catalogue_partition_shape[] = {
    {"Values", SHAPE_TEXT_LIST},
    {"LastAccessTime", SHAPE_NUMBER},
    {"StorageDescriptor", SHAPE_OBJECT, STORAGE},
    {"Parameters", SHAPE_TEXT_MAP},
    {"LastAnalyzedTime", SHAPE_NUMBER},
    {NULL},
};
