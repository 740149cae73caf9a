/*
 * keywords - the part of JSON Schema that is understood, a row each.
 *
 * SPDX-License-Identifier: ISC
 */
#include "server/schema/inside.h"

#define KIND(k) (1U << (k))
#define ANY     (~0U)
#define NUMBER  KIND(JSON_NUMBER)
#define STRING  KIND(JSON_STRING)
#define ARRAY   KIND(JSON_ARRAY)
#define OBJECT  KIND(JSON_OBJECT)

/* clang-format off: a table */
const struct keyword_row keyword_rows[KEYWORDS] = {
	[KEYWORD_DRAFT] = { "$schema", read_draft, NULL, 0, false },
	[KEYWORD_ID] = { "$id", read_id, NULL, 0, false },
	[KEYWORD_ANCHOR] = { "$anchor", read_anchor, NULL, 0, false },
	[KEYWORD_COMMENT] = { "$comment", read_text, NULL, 0, false },
	[KEYWORD_DEFS] = { "$defs", read_schema_map, NULL, 0, false },
	[KEYWORD_TITLE] = { "title", read_text, NULL, 0, false },
	[KEYWORD_DESCRIPTION] = { "description", read_text, NULL, 0, false },
	[KEYWORD_DEFAULT] = { "default", read_anything, NULL, 0, false },
	[KEYWORD_DEPRECATED] = { "deprecated", read_flag, NULL, 0, false },
	[KEYWORD_READ_ONLY] = { "readOnly", read_flag, NULL, 0, false },
	[KEYWORD_WRITE_ONLY] = { "writeOnly", read_flag, NULL, 0, false },
	[KEYWORD_EXAMPLES] = { "examples", read_list, NULL, 0, false },
	[KEYWORD_FORMAT] = { "format", read_text, NULL, 0, false },
	[KEYWORD_CONTENT_ENCODING] = { "contentEncoding", read_text, NULL, 0,
	    false },
	[KEYWORD_CONTENT_MEDIA_TYPE] = { "contentMediaType", read_text, NULL, 0,
	    false },
	[KEYWORD_CONTENT_SCHEMA] = { "contentSchema", read_schema, NULL, 0,
	    false },
	[KEYWORD_TYPE] = { "type", read_type, type_holds, ANY, false },
	[KEYWORD_CONST] = { "const", read_anything, const_holds, ANY, false },
	[KEYWORD_ENUM] = { "enum", read_list, enum_holds, ANY, false },
	[KEYWORD_MINIMUM] = { "minimum", read_number, minimum_holds, NUMBER,
	    false },
	[KEYWORD_EXCLUSIVE_MINIMUM] = { "exclusiveMinimum", read_number,
	    exclusive_minimum_holds, NUMBER, false },
	[KEYWORD_MAXIMUM] = { "maximum", read_number, maximum_holds, NUMBER,
	    false },
	[KEYWORD_EXCLUSIVE_MAXIMUM] = { "exclusiveMaximum", read_number,
	    exclusive_maximum_holds, NUMBER, false },
	[KEYWORD_MULTIPLE_OF] = { "multipleOf", read_divisor, multiple_holds,
	    NUMBER, false },
	[KEYWORD_MIN_LENGTH] = { "minLength", read_count, min_length_holds,
	    STRING, false },
	[KEYWORD_MAX_LENGTH] = { "maxLength", read_count, max_length_holds,
	    STRING, false },
	[KEYWORD_PATTERN] = { "pattern", read_pattern, pattern_holds, STRING,
	    false },
	[KEYWORD_MIN_ITEMS] = { "minItems", read_count, min_items_holds, ARRAY,
	    false },
	[KEYWORD_MAX_ITEMS] = { "maxItems", read_count, max_items_holds, ARRAY,
	    false },
	[KEYWORD_PREFIX_ITEMS] = { "prefixItems", read_schemas,
	    prefix_items_holds, ARRAY, false },
	[KEYWORD_ITEMS] = { "items", read_schema, items_holds, ARRAY, false },
	[KEYWORD_MIN_CONTAINS] = { "minContains", read_count, NULL, 0, false },
	[KEYWORD_MAX_CONTAINS] = { "maxContains", read_count, NULL, 0, false },
	[KEYWORD_CONTAINS] = { "contains", read_schema, contains_holds, ARRAY,
	    false },
	[KEYWORD_UNIQUE_ITEMS] = { "uniqueItems", read_flag, unique_holds,
	    ARRAY, false },
	[KEYWORD_MIN_PROPERTIES] = { "minProperties", read_count,
	    min_properties_holds, OBJECT, false },
	[KEYWORD_MAX_PROPERTIES] = { "maxProperties", read_count,
	    max_properties_holds, OBJECT, false },
	[KEYWORD_REQUIRED] = { "required", read_names, required_holds, OBJECT,
	    false },
	[KEYWORD_DEPENDENT_REQUIRED] = { "dependentRequired", read_names_map,
	    dependent_required_holds, OBJECT, false },
	[KEYWORD_PROPERTIES] = { "properties", read_schema_map,
	    properties_holds, OBJECT, false },
	[KEYWORD_PATTERN_PROPERTIES] = { "patternProperties", read_pattern_map,
	    pattern_properties_holds, OBJECT, false },
	[KEYWORD_ADDITIONAL_PROPERTIES] = { "additionalProperties", read_schema,
	    additional_properties_holds, OBJECT, false },
	[KEYWORD_PROPERTY_NAMES] = { "propertyNames", read_schema,
	    property_names_holds, OBJECT, false },
	[KEYWORD_DEPENDENT_SCHEMAS] = { "dependentSchemas", read_schema_map,
	    dependent_schemas_holds, OBJECT, true },
	[KEYWORD_REF] = { "$ref", read_ref, ref_holds, ANY, true },
	[KEYWORD_ALL_OF] = { "allOf", read_schemas, all_of_holds, ANY, true },
	[KEYWORD_ANY_OF] = { "anyOf", read_schemas, any_of_holds, ANY, true },
	[KEYWORD_ONE_OF] = { "oneOf", read_schemas, one_of_holds, ANY, true },
	[KEYWORD_NOT] = { "not", read_schema, not_holds, ANY, true },
	[KEYWORD_IF] = { "if", read_schema, if_holds, ANY, true },
	[KEYWORD_THEN] = { "then", read_schema, NULL, 0, true },
	[KEYWORD_ELSE] = { "else", read_schema, NULL, 0, true },
};
/* clang-format on */

const struct keyword *
node_keyword(const struct node *n, enum keyword_name name)
{
	for (size_t i = 0; i < n->nkeywords; i++)
		if (n->keywords[i].name == name)
			return &n->keywords[i];
	return NULL;
}
