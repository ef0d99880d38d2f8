-- folded_name(name): a drug's name in the form in which names are compared.
--
-- Without case, accents, typography and marks of lists (®, a trailing point, a nomenclature tag such
-- as USP), with each run of white space as one blank.
--
-- Parameters: name STRING. Returns STRING; NULL for NULL.
-- Cost: none of its own.
--
-- For Latin, Greek and Cyrillic letters the result is that of the pipeline (SPEC 2), except that
-- the pipeline folds one character to one: there "ß" stays, here it becomes "ss".
CREATE OR REPLACE FUNCTION `${project}.${dataset}.folded_name`(name STRING)
RETURNS STRING
AS (
  (
    WITH
      spaced AS (
        SELECT
          TRIM(REGEXP_REPLACE(name, r'[\s\p{Z}]+', ' ')) AS text,
          r'(?:(?:USP(?:[-/ ]?NF)?|NF|(?:[RrPp]|[Rr]ec\.? ?|[Pp]rop\.? ?)?INNM?|BANM?|USAN|JAN|JP|DCF|DCIT?|BP|EP|Ph\.? ?Eur\.?)(?:-[A-Z][a-z]+)?(?: ?[0-9]{1,4})?)'
            AS body
      ),
      tagged AS (SELECT text, CONCAT(body, '(?:[/,;:& ]+', body, ')*') AS bodies FROM spaced),
      -- As cleaning/name_marks.py removes marks.
      bare AS (
        SELECT
          text,
          TRIM(
            REGEXP_REPLACE(
              REGEXP_REPLACE(
                REGEXP_REPLACE(text, r'[(\[][®™℠©†‡°Ⓡ][)\]]|[®™℠©†‡°Ⓡ]|\((?:TM|Tm|tm|SM)\)', ''),
                r'^[\s*]+',
                ''
              ),
              CONCAT(
                r'(?:\s*(?:[.,;:*…]|[(\[]\s*', bodies, r'\s*[)\]]|,\s*', bodies, r'))+\s*\z'
              ),
              ''
            )
          ) AS without_marks
        FROM tagged
      ),
      -- As cleaning/text.py writes the signs; before accents go, as ´ decomposes to one.
      signs AS (
        SELECT
          REGEXP_REPLACE(
            REGEXP_REPLACE(
              REGEXP_REPLACE(
                IF(without_marks = '', text, without_marks),
                r'[\x{2D7}\x{5BE}\x{2010}-\x{2015}\x{2043}\x{2212}\x{2E3A}\x{2E3B}\x{FE58}\x{FE63}\x{FF0D}]',
                '-'
              ),
              r'[`\x{B4}\x{2B9}\x{2BB}-\x{2BD}\x{2018}\x{2019}\x{201B}\x{2032}\x{2035}\x{A78C}\x{FF07}]',
              "'"
            ),
            r'[\x{2BA}\x{201C}-\x{201F}\x{2033}\x{2036}\x{FF02}]',
            '"'
          ) AS text
        FROM bare
      )
    SELECT REGEXP_REPLACE(NORMALIZE_AND_CASEFOLD(text, NFKD), r'[\x{0300}-\x{036F}]', '')
    FROM signs
  )
);
