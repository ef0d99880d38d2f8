# The warehouse. Its tables follow from the contracts in the code, besides `releases`, which says of
# what release they are: `make generated` writes tables.json, and a test compares the two. Its views
# and functions come from the statements in drug_assets/warehouse_sql/, which `drug-assets
# deploy-sql` also runs.

locals {
  tables = jsondecode(file("${path.module}/tables.json"))

  references = {
    project       = var.project_id
    dataset       = var.dataset
    sales_dataset = coalesce(var.sales_dataset, "without-sales")
  }

  files = {
    for path in fileset(var.sql_directory, "{views,functions,table_functions,function_views}/*.sql") :
    path => file("${var.sql_directory}/${path}")
  }

  # The views that read the sales dataset: what reads one of them reads it, too.
  sales_views = [
    for path, text in local.files : trimsuffix(basename(path), ".sql")
    if startswith(path, "views/") && strcontains(text, "$${sales_dataset}")
  ]

  statements = {
    for path, text in local.files : path => templatefile("${var.sql_directory}/${path}", local.references)
    if var.sales_dataset != null || !anytrue([
      for name in concat(["$${sales_dataset}"], [for view in local.sales_views : "$${dataset}.${view}`"]) :
      strcontains(text, name)
    ])
  }

  # The name of an object is the text in backticks after the last dot. Its body is the text after AS
  # on a line of its own (views), or after AS and a bracket (functions). The description of a view is
  # an option of the statement, as its columns' are, which Terraform cannot set (docs/decisions.md);
  # that of a function is the text after the first colon of the file, to the end of that paragraph.
  views = {
    for path, statement in local.statements :
    regex("CREATE OR REPLACE VIEW `[^`]*\\.(\\w+)`", statement)[0] => {
      query       = regex("(?s)\\nAS\\n(.*?);\\s*$", statement)[0]
      description = regex("\\nOPTIONS \\(\\n  description = '([^']*)'\\n\\)\\nAS\\n", statement)[0]
    }
    if strcontains(dirname(path), "views")
  }

  # Those that read table functions or other views: they are made last.
  function_views = [for path in fileset(var.sql_directory, "function_views/*.sql") : trimsuffix(basename(path), ".sql")]

  routines = {
    for path, statement in local.statements :
    regex("CREATE OR REPLACE (?:TABLE )?FUNCTION `[^`]*\\.(\\w+)`", statement)[0] => {
      type        = startswith(path, "table_functions/") ? "TABLE_VALUED_FUNCTION" : "SCALAR_FUNCTION"
      body        = regex("(?s)\\nAS \\(\\n(.*?)\\n\\);\\s*$", statement)[0]
      description = trimspace(replace(regex("(?s)^--[^:]*:(.*?)\\n--\\n", statement)[0], "/\\n-- */", " "))
      arguments = [
        for argument in split(",", regex("(?s)FUNCTION `[^`]*`\\(([^)]*)\\)", statement)[0]) :
        regex("^\\s*(?P<name>\\w+)\\s+(?P<type>\\w+)\\s*$", argument)
        if trimspace(argument) != ""
      ]
      # The type that is returned; of a table function, its columns, if their types are fixed.
      returned = try(regex("(?s)\\nRETURNS (\\w+)", statement)[0], null)
      columns = [
        for column in try(split(",", regex("(?s)\\nRETURNS TABLE<(.*?)>\\nAS", statement)[0]), []) :
        regex("^\\s*(?P<name>\\w+)\\s+(?P<array>(?:ARRAY<)?)(?P<type>\\w+)>?\\s*$", column)
      ]
    }
    if !strcontains(dirname(path), "views")
  }

  scheduled_queries = {
    for table, query in var.scheduled_queries : table => query
    if var.sales_dataset != null || !strcontains(query.query, "{sales_dataset}")
  }
}

resource "google_bigquery_dataset" "dataset" {
  project                    = var.project_id
  dataset_id                 = var.dataset
  location                   = var.location
  friendly_name              = "Drugs, publications, journals"
  description                = "Which drug is named by which publication of which journal, and since when."
  delete_contents_on_destroy = !var.deletion_protection
}

resource "google_bigquery_dataset_iam_member" "writer" {
  for_each = var.writers

  project    = var.project_id
  dataset_id = google_bigquery_dataset.dataset.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = each.value
}

resource "google_bigquery_dataset_iam_member" "reader" {
  for_each = var.readers

  project    = var.project_id
  dataset_id = google_bigquery_dataset.dataset.dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.value
}

resource "google_bigquery_table" "table" {
  for_each = local.tables

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.dataset.dataset_id
  table_id            = each.key
  description         = each.value.description
  schema              = jsonencode(each.value.schema)
  clustering          = each.value.clustering
  deletion_protection = var.deletion_protection

  dynamic "time_partitioning" {
    for_each = each.value.partition_by_year == null ? [] : [each.value.partition_by_year]
    content {
      type  = "YEAR"
      field = time_partitioning.value
    }
  }

  # Terraform creates a missing table. How an existing one is laid out is changed by the release
  # that needs it, with the rows in it: Terraform would have to delete the table, which
  # deletion_protection refuses, or else would lose its rows.
  lifecycle {
    ignore_changes = [schema, time_partitioning, clustering]
  }
}

resource "google_bigquery_table" "view" {
  for_each = { for name, view in local.views : name => view if !contains(local.function_views, name) }

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.dataset.dataset_id
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false

  view {
    query          = each.value.query
    use_legacy_sql = false
  }

  # BigQuery checks a view's query when it creates the view: its tables and functions must exist.
  depends_on = [google_bigquery_table.table, google_bigquery_routine.function]
}

resource "google_bigquery_routine" "function" {
  for_each = { for name, routine in local.routines : name => routine if routine.type == "SCALAR_FUNCTION" }

  project         = var.project_id
  dataset_id      = google_bigquery_dataset.dataset.dataset_id
  routine_id      = each.key
  routine_type    = each.value.type
  language        = "SQL"
  description     = each.value.description
  definition_body = each.value.body
  return_type     = jsonencode({ typeKind = each.value.returned })

  dynamic "arguments" {
    for_each = each.value.arguments
    content {
      name      = arguments.value.name
      data_type = jsonencode({ typeKind = arguments.value.type })
    }
  }
}

resource "google_bigquery_routine" "table_function" {
  for_each = { for name, routine in local.routines : name => routine if routine.type == "TABLE_VALUED_FUNCTION" }

  project         = var.project_id
  dataset_id      = google_bigquery_dataset.dataset.dataset_id
  routine_id      = each.key
  routine_type    = each.value.type
  language        = "SQL"
  description     = each.value.description
  definition_body = each.value.body

  # Without them, columns would have the types that the tables of the day give them, and a function
  # that `drug-assets deploy-sql` makes would be another one.
  return_table_type = length(each.value.columns) == 0 ? null : jsonencode({
    columns = [
      for column in each.value.columns : {
        name = column.name
        type = merge(
          { typeKind = column.array == "" ? column.type : "ARRAY" },
          column.array == "" ? {} : { arrayElementType = { typeKind = column.type } },
        )
      }
    ]
  })

  dynamic "arguments" {
    for_each = each.value.arguments
    content {
      name      = arguments.value.name
      data_type = jsonencode({ typeKind = arguments.value.type })
    }
  }

  depends_on = [google_bigquery_table.table, google_bigquery_table.view, google_bigquery_routine.function]
}

resource "google_bigquery_table" "function_view" {
  for_each = { for name, view in local.views : name => view if contains(local.function_views, name) }

  project             = var.project_id
  dataset_id          = google_bigquery_dataset.dataset.dataset_id
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false

  view {
    query          = each.value.query
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_routine.table_function, google_bigquery_table.view]
}

moved {
  from = google_bigquery_table.view["top_journal_view"]
  to   = google_bigquery_table.function_view["top_journal_view"]
}

# Scheduled queries write their results beside the tables, and read the sales dataset if there is
# one.
resource "google_bigquery_dataset_iam_member" "query_writer" {
  project    = var.project_id
  dataset_id = google_bigquery_dataset.dataset.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = "serviceAccount:${var.query_service_account}"
}

resource "google_bigquery_dataset_iam_member" "query_reads_sales" {
  count = var.sales_dataset == null || var.sales_dataset == var.dataset ? 0 : 1

  project    = var.project_id
  dataset_id = var.sales_dataset
  role       = "roles/bigquery.dataViewer"
  member     = "serviceAccount:${var.query_service_account}"
}

resource "google_bigquery_data_transfer_config" "scheduled_query" {
  for_each = local.scheduled_queries

  project                = var.project_id
  location               = var.location
  display_name           = "drug-assets: ${each.key}"
  data_source_id         = "scheduled_query"
  schedule               = each.value.schedule
  destination_dataset_id = google_bigquery_dataset.dataset.dataset_id
  service_account_name   = var.query_service_account

  params = {
    query                           = replace(replace(replace(each.value.query, "{project}", var.project_id), "{dataset}", var.dataset), "{sales_dataset}", local.references.sales_dataset)
    destination_table_name_template = each.key
    write_disposition               = "WRITE_TRUNCATE"
  }

  depends_on = [
    google_bigquery_routine.table_function,
    google_bigquery_dataset_iam_member.query_writer,
    google_bigquery_dataset_iam_member.query_reads_sales,
  ]
}
