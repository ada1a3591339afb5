# The huge zero page that nobody maps any more is freed when memory is very short, and allocated anew later.
# tolerance 4%
machine nodes=1 node_mem=1G
sysctl vm.overcommit_memory 1
spawn p
@p cpu 0
@p map a 8M anon thp=hugepage
@p touch a r
spawn q
@q cpu 0
@q map b 2G anon thp=nohugepage
@q touch b
spawn r
@r map c 4M anon thp=hugepage
@r touch c r
@p exit
@r exit
spawn s
@s map d 2G anon thp=nohugepage
@s touch d
spawn t
@t map c 4M anon thp=hugepage
@t touch c r
@t exit
