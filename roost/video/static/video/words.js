// The safety words: 256, so that each stands for eight bits. Short, kind, and told apart by ear:
// any two differ in two letters at least. The list is our own.

export const WORDS = `
acorn almond anchor apricot april aspen atlas autumn azure bakery balcony bamboo banjo basil beacon beaver
berry birch biscuit blanket blossom bluebell bottle bramble breeze bridge bronze brook bucket butter cactus
canoe canvas caramel carpet castle cedar cello chalk cherry chestnut chimney cinnamon circle citrus clarinet
clover cobalt cocoa comet compass copper cotton cottage crayon cricket crystal cushion cyclamen daffodil daisy
dancer dawn delta denim desert dolphin donkey dragonfly drum duckling eagle echo elbow elder emerald evening
falcon fennel fern fiddle field fjord flannel flute forest fountain foxglove freckle galaxy garden garlic
gazelle ginger giraffe glacier granite grape guitar hammock harbor harp harvest hazel heather hedgehog hickory
holiday honey horizon iceberg indigo island ivory ivy jacket jasmine jelly jigsaw journal juniper kayak kettle
kiwi koala ladder lagoon lantern lavender lemon library lilac linen lizard lobster lotus lunar magnet magnolia
maple marble marigold meadow melon midnight mint mirror mitten mosaic muffin mulberry napkin nectar needle
nest nickel north notebook nutmeg oasis ocean olive onion opal orbit orchard orchid oyster panda paper parsley
pasture peach pebble pelican pencil penguin piano picnic pigeon pillow planet poem pollen poppy prairie
pumpkin puzzle quartz quilt quince rabbit radish rainbow raisin raven ribbon ripple robin rosemary ruby saddle
saffron sailor sandal sapphire satin scarf shadow shell silver sketch skylark snail snow sonnet sparrow spoon
spruce squirrel stone summer sunrise swallow tablet tango teapot temple thimble thistle thyme timber tomato
trumpet tulip tundra turnip turtle umbrella unicorn valley vanilla velvet violet violin volcano waffle walnut
window winter wombat yarrow yogurt zebra zenith zither
`.trim().split(/\s+/);
